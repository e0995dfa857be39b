// Enforces NetworkPolicies on one node: what they allow its pods becomes a table of nftables.
//
// A pod is open until its policies are known to the node, and a connection that stands stays.
package main

import (
	"context"
	"flag"
	"log"
	"os"
	"os/exec"
	"strings"
	"time"

	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
)

func main() {
	kubeconfig := flag.String("kubeconfig", "", "who asks the API server")
	node := flag.String("node", "", "the name of this node")
	flag.Parse()
	config, err := clientcmd.BuildConfigFromFlags("", *kubeconfig)
	if err != nil {
		log.Fatal(err)
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		log.Fatal(err)
	}
	// Until access is granted: whoever runs this tries again at once, an informer only after half a minute.
	if _, err := client.NetworkingV1().NetworkPolicies("").List(context.Background(), meta.ListOptions{Limit: 1}); err != nil {
		log.Fatal(err)
	}
	factory := informers.NewSharedInformerFactory(client, 0)
	pods := factory.Core().V1().Pods()
	namespaces := factory.Core().V1().Namespaces()
	policies := factory.Networking().V1().NetworkPolicies()
	changed := make(chan struct{}, 1)
	for _, informer := range []cache.SharedIndexInformer{pods.Informer(), namespaces.Informer(), policies.Informer()} {
		if _, err := informer.AddEventHandler(wake(changed)); err != nil {
			log.Fatal(err)
		}
	}
	factory.Start(nil)
	factory.WaitForCacheSync(nil)

	before := ""
	for range changed {
		var now state
		now.pods, _ = pods.Lister().List(labels.Everything())
		now.namespaces, _ = namespaces.Lister().List(labels.Everything())
		now.policies, _ = policies.Lister().List(labels.Everything())
		rules := now.rules(*node)
		if rules == before {
			continue
		}
		if err := apply(rules); err != nil {
			log.Printf("nft: %v", err)
			time.AfterFunc(time.Second, func() { signal(changed) })
			continue
		}
		before = rules
	}
}

func wake(changed chan<- struct{}) cache.ResourceEventHandler {
	return cache.ResourceEventHandlerFuncs{
		AddFunc:    func(any) { signal(changed) },
		UpdateFunc: func(any, any) { signal(changed) },
		DeleteFunc: func(any) { signal(changed) },
	}
}

// signal tells of a change, unless one waits to be seen already.
func signal(changed chan<- struct{}) {
	select {
	case changed <- struct{}{}:
	default:
	}
}

// apply replaces the whole table at once: no packet sees half of it.
func apply(rules string) error {
	nft := exec.Command("nft", "-f", "-")
	nft.Stdin, nft.Stderr = strings.NewReader(rules), os.Stderr
	return nft.Run()
}
