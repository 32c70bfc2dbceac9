package provisioner

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"sigs.k8s.io/sig-storage-lib-external-provisioner/v13/controller"
)

func TestAVolumeIsAFolderOnTheNode(t *testing.T) {
	folders := Folders{Dir: filepath.Join(t.TempDir(), "volumes"), Node: "node1"}
	claim := &corev1.PersistentVolumeClaim{Spec: corev1.PersistentVolumeClaimSpec{
		AccessModes: []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce},
		Resources:   corev1.VolumeResourceRequirements{Requests: corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("1Gi")}},
	}}
	class := &storagev1.StorageClass{ReclaimPolicy: new(corev1.PersistentVolumeReclaimDelete)}
	volume, state, err := folders.Provision(t.Context(), controller.ProvisionOptions{PVName: "pvc-1", PVC: claim, StorageClass: class})
	if err != nil || state != controller.ProvisioningFinished {
		t.Fatalf("state %v, error %v", state, err)
	}

	path := filepath.Join(folders.Dir, "pvc-1")
	want := corev1.PersistentVolumeSpec{
		PersistentVolumeReclaimPolicy: corev1.PersistentVolumeReclaimDelete,
		AccessModes:                   claim.Spec.AccessModes,
		Capacity:                      corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("1Gi")},
		PersistentVolumeSource:        corev1.PersistentVolumeSource{Local: &corev1.LocalVolumeSource{Path: path}},
		NodeAffinity: &corev1.VolumeNodeAffinity{Required: &corev1.NodeSelector{NodeSelectorTerms: []corev1.NodeSelectorTerm{{
			MatchExpressions: []corev1.NodeSelectorRequirement{{Key: "kubernetes.io/hostname", Operator: "In", Values: []string{"node1"}}},
		}}}},
	}
	if diff := cmp.Diff(want, volume.Spec); diff != "" {
		t.Errorf("volume (-want +got):\n%s", diff)
	}
	if err := os.WriteFile(filepath.Join(path, "data"), []byte("x"), 0o600); err != nil {
		t.Fatalf("the folder cannot be written to: %v", err)
	}

	if err := folders.Delete(t.Context(), volume); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); !os.IsNotExist(err) {
		t.Errorf("after the deletion: %v", err)
	}
}
