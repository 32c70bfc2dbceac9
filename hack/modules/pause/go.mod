// The process that holds a pod's namespaces open. It has no dependencies.
module github.com/crmquota/crm-quota-operator/hack/modules/pause

go 1.26.0
