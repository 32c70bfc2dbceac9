// Package provisioner makes folders on the node for PersistentVolumeClaims. The volumes are of kind "local", not
// "hostPath": the kubelet applies a pod's fsGroup to them, so that pods without root can write.
package provisioner

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/sig-storage-lib-external-provisioner/v13/controller"

	"github.com/crmquota/crm-quota-operator/hack/localcluster/internal/kube"
)

// Name is the provisioner's name in a StorageClass.
const Name = "localcluster/folder"

// Folders provisions volumes below one folder of one node.
type Folders struct {
	// Dir is the folder on the node; Node the value of its host name label.
	Dir, Node string
}

// Provision makes a volume's folder. Its size is not enforced.
func (f Folders) Provision(_ context.Context, o controller.ProvisionOptions) (*corev1.PersistentVolume, controller.ProvisioningState, error) {
	path := filepath.Join(f.Dir, o.PVName)
	if err := os.MkdirAll(path, 0o770); err != nil {
		return nil, controller.ProvisioningFinished, fmt.Errorf("make the volume's folder: %w", err)
	}
	onNode := corev1.NodeSelectorRequirement{Key: corev1.LabelHostname, Operator: corev1.NodeSelectorOpIn, Values: []string{f.Node}}
	volume := &corev1.PersistentVolume{
		ObjectMeta: metav1.ObjectMeta{Name: o.PVName},
		Spec: corev1.PersistentVolumeSpec{
			PersistentVolumeReclaimPolicy: *o.StorageClass.ReclaimPolicy,
			AccessModes:                   o.PVC.Spec.AccessModes,
			Capacity:                      corev1.ResourceList{corev1.ResourceStorage: o.PVC.Spec.Resources.Requests[corev1.ResourceStorage]},
			PersistentVolumeSource:        corev1.PersistentVolumeSource{Local: &corev1.LocalVolumeSource{Path: path}},
			NodeAffinity: &corev1.VolumeNodeAffinity{Required: &corev1.NodeSelector{
				NodeSelectorTerms: []corev1.NodeSelectorTerm{{MatchExpressions: []corev1.NodeSelectorRequirement{onNode}}},
			}},
		},
	}
	return volume, controller.ProvisioningFinished, nil
}

// Delete removes a volume's folder with all that is in it.
func (f Folders) Delete(_ context.Context, volume *corev1.PersistentVolume) error {
	if err := os.RemoveAll(filepath.Join(f.Dir, volume.Name)); err != nil {
		return fmt.Errorf("remove the volume's folder: %w", err)
	}
	return nil
}

// Run provisions until ctx ends.
func Run(ctx context.Context, kubeconfig string, folders Folders) error {
	client, err := kube.Connect(kubeconfig)
	if err != nil {
		return err
	}
	controller.NewProvisionController(ctx, client, Name, folders, controller.LeaderElection(false)).Run(ctx)
	return nil
}
