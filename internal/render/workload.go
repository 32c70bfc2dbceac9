// SPDX-License-Identifier: Apache-2.0

package render

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/intstr"
	appsv1ac "k8s.io/client-go/applyconfigurations/apps/v1"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"
	metav1ac "k8s.io/client-go/applyconfigurations/meta/v1"

	"github.com/crmquota/crm-quota-operator/internal/contract"
	"github.com/crmquota/crm-quota-operator/internal/plan"
)

const (
	containerName = "dispatcher"

	volumePlan        = "plan"
	volumeCredentials = "credentials"
	volumeTLS         = "tls"
	volumeEncryption  = "encryption"
	volumeData        = "data"

	// mountPlanDir is where PlanFile lies: a ConfigMap is mounted as a whole, a single file of it would never be refreshed.
	mountPlanDir = "/etc/crmquota/plan"

	// nonRoot is the user of distroless images.
	nonRoot = 65532

	// secretMode lets the pod's group read: the files belong to root.
	secretMode = 0o440

	memoryLimit = "256Mi"
	// goMemoryLimit leaves a tenth of the memory limit to what Go's runtime does not count.
	goMemoryLimit = "230MiB"

	// terminationGracePeriodSeconds: readiness off, calls in flight answered (at most 30 s), store closed.
	terminationGracePeriodSeconds = 40

	// revisionHistoryLimit: revisions serve nobody here, the operator renders every change.
	revisionHistoryLimit = 2
)

// StatefulSet runs the dispatcher. Parallel, because OrderedReady never replaces a pod that cannot start.
func StatefulSet(in Input) *appsv1ac.StatefulSetApplyConfiguration {
	return appsv1ac.StatefulSet(plan.ChildName(in.CRM), in.CRM.Namespace).
		WithLabels(Labels(in.CRM.Name)).
		WithOwnerReferences(owners(in.CRM)...).
		WithSpec(appsv1ac.StatefulSetSpec().
			WithReplicas(1).
			WithServiceName(plan.ChildName(in.CRM)).
			WithPodManagementPolicy(appsv1.ParallelPodManagement).
			WithRevisionHistoryLimit(revisionHistoryLimit).
			WithSelector(metav1ac.LabelSelector().WithMatchLabels(selector(in.CRM.Name))).
			WithTemplate(podTemplate(in)))
}

func podTemplate(in Input) *corev1ac.PodTemplateSpecApplyConfiguration {
	return corev1ac.PodTemplateSpec().
		WithLabels(Labels(in.CRM.Name)).
		// A mesh proxy retries on its own, which would send calls that the ledger does not know.
		WithLabels(map[string]string{"sidecar.istio.io/inject": "false"}).
		WithAnnotations(map[string]string{"kubectl.kubernetes.io/default-container": containerName}).
		WithSpec(corev1ac.PodSpec().
			WithServiceAccountName(plan.ChildName(in.CRM)).
			WithAutomountServiceAccountToken(false).
			WithEnableServiceLinks(false).
			WithTerminationGracePeriodSeconds(terminationGracePeriodSeconds).
			WithSecurityContext(corev1ac.PodSecurityContext().
				WithRunAsNonRoot(true).WithRunAsUser(nonRoot).WithRunAsGroup(nonRoot).
				WithFSGroup(nonRoot).WithFSGroupChangePolicy(corev1.FSGroupChangeOnRootMismatch).
				WithSeccompProfile(corev1ac.SeccompProfile().WithType(corev1.SeccompProfileTypeRuntimeDefault))).
			WithContainers(container(in)).
			WithVolumes(volumes(in)...))
}

func container(in Input) *corev1ac.ContainerApplyConfiguration {
	mounts := []*corev1ac.VolumeMountApplyConfiguration{
		corev1ac.VolumeMount().WithName(volumePlan).WithMountPath(mountPlanDir).WithReadOnly(true),
		corev1ac.VolumeMount().WithName(volumeCredentials).WithMountPath(contract.CredentialsDir).WithReadOnly(true),
		corev1ac.VolumeMount().WithName(volumeData).WithMountPath(contract.DataDir),
	}
	for _, secret := range in.Plan.OwnSecrets() {
		mounts = append(mounts, corev1ac.VolumeMount().WithName(ownVolume(secret)).WithMountPath(path.Join(contract.OwnCredentialsDir, secret)).WithReadOnly(true))
	}
	if in.CRM.Spec.Intake.TLSSecretRef != nil {
		mounts = append(mounts, corev1ac.VolumeMount().WithName(volumeTLS).WithMountPath(contract.TLSDir).WithReadOnly(true))
	}
	if in.CRM.Spec.Storage.Encryption != nil {
		mounts = append(mounts, corev1ac.VolumeMount().WithName(volumeEncryption).WithMountPath(contract.EncryptionDir).WithReadOnly(true))
	}
	return corev1ac.Container().
		WithName(containerName).
		WithImage(in.Image).
		WithImagePullPolicy(corev1.PullIfNotPresent).
		WithCommand("/dispatcher").
		WithArgs(fmt.Sprintf("--profile-address=127.0.0.1:%d", contract.ProfilePort)).
		WithEnv(corev1ac.EnvVar().WithName("GOMEMLIMIT").WithValue(goMemoryLimit)).
		WithPorts(
			corev1ac.ContainerPort().WithName(portIntake).WithContainerPort(contract.IntakePort).WithProtocol(corev1.ProtocolTCP),
			corev1ac.ContainerPort().WithName(portReport).WithContainerPort(contract.ReportPort).WithProtocol(corev1.ProtocolTCP),
			corev1ac.ContainerPort().WithName(portHealth).WithContainerPort(contract.HealthPort).WithProtocol(corev1.ProtocolTCP)).
		// Opening a large store takes its time; once it is open, one second decides about readiness.
		WithStartupProbe(probe("/healthz", 1, 120)).
		WithReadinessProbe(probe("/readyz", 1, 2)).
		WithLivenessProbe(probe("/healthz", 10, 3)).
		WithResources(corev1ac.ResourceRequirements().
			WithRequests(corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("10m"), corev1.ResourceMemory: resource.MustParse("48Mi")}).
			WithLimits(corev1.ResourceList{corev1.ResourceMemory: resource.MustParse(memoryLimit)})).
		WithSecurityContext(corev1ac.SecurityContext().
			WithAllowPrivilegeEscalation(false).WithReadOnlyRootFilesystem(true).
			WithCapabilities(corev1ac.Capabilities().WithDrop("ALL"))).
		WithVolumeMounts(mounts...)
}

// probe asks every period seconds and gives up after that many failures.
func probe(path string, period, failures int32) *corev1ac.ProbeApplyConfiguration {
	return corev1ac.Probe().
		WithHTTPGet(corev1ac.HTTPGetAction().WithPath(path).WithPort(intstr.FromString(portHealth))).
		WithPeriodSeconds(period).WithTimeoutSeconds(min(period, 5)).WithFailureThreshold(failures)
}

// volumes: Secrets are optional, so that the dispatcher runs without them, accepts calls, and reports what is missing.
func volumes(in Input) []*corev1ac.VolumeApplyConfiguration {
	list := []*corev1ac.VolumeApplyConfiguration{
		corev1ac.Volume().WithName(volumePlan).WithConfigMap(corev1ac.ConfigMapVolumeSource().WithName(plan.ChildName(in.CRM))),
		secretVolume(volumeCredentials, plan.CredentialsSecret(in.CRM.Spec.Credentials)),
		corev1ac.Volume().WithName(volumeData).WithPersistentVolumeClaim(corev1ac.PersistentVolumeClaimVolumeSource().WithClaimName(in.ClaimName)),
	}
	for _, secret := range in.Plan.OwnSecrets() {
		list = append(list, secretVolume(ownVolume(secret), secret))
	}
	if ref := in.CRM.Spec.Intake.TLSSecretRef; ref != nil {
		list = append(list, secretVolume(volumeTLS, ref.Name))
	}
	if e := in.CRM.Spec.Storage.Encryption; e != nil {
		list = append(list, secretVolume(volumeEncryption, e.SecretRef.Name))
	}
	return list
}

// ownVolume is the name of the volume with a Secret of an integration's own: a Secret's name can be longer than that of a volume, and have dots.
func ownVolume(secret string) string {
	hash := sha256.Sum256([]byte(secret))
	return "own-" + hex.EncodeToString(hash[:8])
}

func secretVolume(name, secret string) *corev1ac.VolumeApplyConfiguration {
	return corev1ac.Volume().WithName(name).WithSecret(
		corev1ac.SecretVolumeSource().WithSecretName(secret).WithOptional(true).WithDefaultMode(secretMode))
}
