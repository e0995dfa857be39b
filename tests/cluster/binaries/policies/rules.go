package main

import (
	"fmt"
	"slices"
	"strings"

	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/intstr"
)

const table = "table ip policies"

type state struct {
	pods       []*core.Pod
	namespaces []*core.Namespace
	policies   []*networking.NetworkPolicy
}

// rule is what an ingress and an egress rule have in common.
type rule struct {
	peers []networking.NetworkPolicyPeer
	ports []networking.NetworkPolicyPort
}

// side is a direction as packets show it: where the other end stands, and where our pod.
type side struct {
	kind        networking.PolicyType
	chain       string
	other, ours string
}

var sides = []side{
	{networking.PolicyTypeIngress, "in", "ip saddr", "ip daddr"},
	{networking.PolicyTypeEgress, "out", "ip daddr", "ip saddr"},
}

// rules is the table for the pods of one node. Order does not change it, so that equal states are equal texts.
func (s state) rules(node string) string {
	slices.SortFunc(s.pods, func(a, b *core.Pod) int { return strings.Compare(a.Status.PodIP, b.Status.PodIP) })
	s.pods = slices.DeleteFunc(s.pods, func(pod *core.Pod) bool { return !hasOwnAddress(pod) })
	slices.SortFunc(s.policies, func(a, b *networking.NetworkPolicy) int { return strings.Compare(string(a.UID), string(b.UID)) })
	var chains, jumps strings.Builder
	for _, pod := range s.pods {
		if pod.Spec.NodeName != node {
			continue
		}
		for _, side := range sides {
			allowed, isolated := s.allowed(pod, side)
			if isolated {
				name := side.chain + "-" + pod.Status.PodIP
				own := fmt.Sprintf("%s %s return", side.other, pod.Status.PodIP)
				lines := append([]string{own}, append(allowed, "drop")...)
				fmt.Fprintf(&chains, "chain %s {\n%s\n}\n", name, strings.Join(lines, "\n"))
				fmt.Fprintf(&jumps, "%s %s jump %s\n", side.ours, pod.Status.PodIP, name)
			}
		}
	}
	return fmt.Sprintf("add %[1]s\ndelete %[1]s\n%[1]s {\n%[2]schain forward {\n"+
		"type filter hook forward priority filter\nct state established,related accept\n%[3]s}\n}\n",
		table, chains.String(), jumps.String())
}

func hasOwnAddress(pod *core.Pod) bool {
	ended := pod.Status.Phase == core.PodSucceeded || pod.Status.Phase == core.PodFailed
	return pod.Status.PodIP != "" && !pod.Spec.HostNetwork && !ended
}

// allowed is what the policies let through on one side of a pod, and whether any policy selects it there.
func (s state) allowed(pod *core.Pod, side side) (lines []string, isolated bool) {
	for _, policy := range s.policies {
		selects := policy.Namespace == pod.Namespace && matches(&policy.Spec.PodSelector, pod.Labels)
		if !selects || !slices.Contains(policy.Spec.PolicyTypes, side.kind) {
			continue
		}
		isolated = true
		for _, rule := range rulesOf(policy, side.kind) {
			lines = append(lines, s.lines(rule, policy.Namespace, pod, side)...)
		}
	}
	return lines, isolated
}

func rulesOf(policy *networking.NetworkPolicy, kind networking.PolicyType) (found []rule) {
	if kind == networking.PolicyTypeIngress {
		for _, ingress := range policy.Spec.Ingress {
			found = append(found, rule{ingress.From, ingress.Ports})
		}
		return found
	}
	for _, egress := range policy.Spec.Egress {
		found = append(found, rule{egress.To, egress.Ports})
	}
	return found
}

// lines say one rule: each of its ports for anybody, or for each of its peers.
func (s state) lines(rule rule, namespace string, pod *core.Pod, side side) (found []string) {
	var server *core.Pod // whose ports may be meant by name
	if side.kind == networking.PolicyTypeIngress {
		server = pod
	}
	if len(rule.peers) == 0 {
		return ports("", rule.ports, server)
	}
	for _, peer := range rule.peers {
		if peer.IPBlock != nil && strings.Contains(peer.IPBlock.CIDR, ":") {
			continue // the cluster has no address of that family
		}
		if peer.IPBlock != nil {
			found = append(found, ports(block(peer.IPBlock, side), rule.ports, server)...)
			continue
		}
		others := s.chosen(peer, namespace)
		if server != nil && len(others) > 0 {
			found = append(found, ports(addresses(side, others...), rule.ports, server)...)
			continue
		}
		for _, other := range others {
			found = append(found, ports(addresses(side, other), rule.ports, other)...)
		}
	}
	return found
}

func addresses(side side, pods ...*core.Pod) string {
	var found []string
	for _, pod := range pods {
		found = append(found, pod.Status.PodIP)
	}
	return fmt.Sprintf("%s { %s }", side.other, strings.Join(found, ", "))
}

// chosen is the pods of a peer that is no block of addresses.
func (s state) chosen(peer networking.NetworkPolicyPeer, namespace string) (found []*core.Pod) {
	there := map[string]bool{namespace: peer.NamespaceSelector == nil}
	if peer.NamespaceSelector != nil {
		for _, candidate := range s.namespaces {
			there[candidate.Name] = matches(peer.NamespaceSelector, candidate.Labels)
		}
	}
	for _, pod := range s.pods {
		if there[pod.Namespace] && (peer.PodSelector == nil || matches(peer.PodSelector, pod.Labels)) {
			found = append(found, pod)
		}
	}
	return found
}

func block(of *networking.IPBlock, side side) string {
	found := side.other + " " + of.CIDR
	for _, except := range of.Except {
		found += " " + side.other + " != " + except
	}
	return found
}

// ports let these addresses through to any of the ports, or to all if there is none.
func ports(address string, wanted []networking.NetworkPolicyPort, server *core.Pod) (found []string) {
	if len(wanted) == 0 {
		return []string{address + " return"}
	}
	for _, port := range wanted {
		protocol := core.ProtocolTCP
		if port.Protocol != nil {
			protocol = *port.Protocol
		}
		for _, number := range numbers(port, protocol, server) {
			found = append(found, fmt.Sprintf("%s %s dport %s return", address, strings.ToLower(string(protocol)), number))
		}
	}
	return found
}

func numbers(port networking.NetworkPolicyPort, protocol core.Protocol, server *core.Pod) (found []string) {
	switch {
	case port.Port == nil:
		return []string{"0-65535"}
	case port.Port.Type == intstr.Int && port.EndPort != nil:
		return []string{fmt.Sprintf("%d-%d", port.Port.IntVal, *port.EndPort)}
	case port.Port.Type == intstr.Int:
		return []string{fmt.Sprint(port.Port.IntVal)}
	case server == nil:
		return nil
	}
	for _, container := range server.Spec.Containers {
		for _, named := range container.Ports {
			if named.Name == port.Port.StrVal && named.Protocol == protocol {
				found = append(found, fmt.Sprint(named.ContainerPort))
			}
		}
	}
	return found
}

func matches(selector *meta.LabelSelector, of map[string]string) bool {
	parsed, err := meta.LabelSelectorAsSelector(selector)
	return err == nil && parsed.Matches(labels.Set(of)) // the API server admits none that does not parse
}
