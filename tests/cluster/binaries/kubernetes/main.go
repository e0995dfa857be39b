// Every Kubernetes component in one binary, chosen by the name it is run under.
package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
	"k8s.io/apiserver/pkg/util/feature"
	"k8s.io/component-base/cli"
	"k8s.io/component-base/featuregate"
	_ "k8s.io/component-base/logs/json/register"
	_ "k8s.io/component-base/metrics/prometheus/clientgo"
	_ "k8s.io/component-base/metrics/prometheus/version"
	kubectl "k8s.io/kubectl/pkg/cmd"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllers "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	proxy "k8s.io/kubernetes/cmd/kube-proxy/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
	kubeadm "k8s.io/kubernetes/cmd/kubeadm/app"
	kubelet "k8s.io/kubernetes/cmd/kubelet/app"
	"k8s.io/kubernetes/pkg/features"
)

// withoutResize hides that pods can be resized in place, which no setting does since 1.35. Where pods have no cgroups
// of their own, a kubelet takes a container that could not be made at once for one to resize, and dies of it each time
// it starts: doPodResizeAction reads what podContainerManagerNoop does not have.
type withoutResize struct{ featuregate.FeatureGate }

func (gate withoutResize) Enabled(name featuregate.Feature) bool {
	return name != features.InPlacePodVerticalScaling && gate.FeatureGate.Enabled(name)
}

func newKubelet() *cobra.Command {
	feature.DefaultFeatureGate = withoutResize{feature.DefaultFeatureGate}
	return kubelet.NewKubeletCommand(context.Background())
}

func main() {
	components := map[string]func() *cobra.Command{
		"kube-apiserver":          apiserver.NewAPIServerCommand,
		"kube-controller-manager": controllers.NewControllerManagerCommand,
		"kube-scheduler":          func() *cobra.Command { return scheduler.NewSchedulerCommand() },
		"kube-proxy":              proxy.NewProxyCommand,
		"kubelet":                 newKubelet,
		"kubectl":                 kubectl.NewDefaultKubectlCommand,
	}
	name := filepath.Base(os.Args[0])
	if name == "kubeadm" {
		if kubeadm.Run() != nil {
			os.Exit(1)
		}
		return
	}
	command, known := components[name]
	if !known {
		fmt.Fprintln(os.Stderr, "link this binary as one of: kube-apiserver kube-controller-manager kube-scheduler kube-proxy kubelet kubectl kubeadm")
		os.Exit(2)
	}
	os.Exit(cli.Run(command()))
}
