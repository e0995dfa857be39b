#!/bin/bash
# A node: containerd, kubelet, kube-proxy, NetworkPolicies. From the environment: NODE, ZONE, ADDRESS, PODS, ALL_PODS, ROUTES,
# VOLUMES.
set -euo pipefail
. /node/supervise.sh

for folder in /proc/sys /sys; do
  ! mountpoint --quiet $folder || mount -o remount,rw $folder
done
mount --make-rshared /
sysctl -qw net.ipv4.ip_forward=1
sysctl -qw net.bridge.bridge-nf-call-iptables=1 || true  # only where the kernel's module is loaded
routes "$ROUTES"
# Only nodes know the way to a pod: what leaves for others comes from the node.
iptables -t nat -A POSTROUTING -s "$PODS" ! -d "$ALL_PODS" -o eth0 -j MASQUERADE

mkdir -p /etc/cni/net.d
sed "s|@PODS@|$PODS|" /node/network.conflist > /etc/cni/net.d/10-pods.conflist
for number in $(seq "$VOLUMES"); do
  install -d -m 0777 "/var/lib/volumes/$number"
done

# What a killed node left of its pods holds their names: the kubelet makes them anew.
rm -rf /run/containerd /run/netns /var/lib/cni
supervise containerd --config /node/containerd.toml
until ctr version >/dev/null 2>&1; do sleep 0.1; done
ctr -n k8s.io images import /node/pause.tar >/dev/null
supervise kube-proxy --config /node/proxy.yaml --hostname-override "$NODE"
supervise policies --kubeconfig /etc/kubernetes/policies.conf --node "$NODE"
supervise kubelet --config /node/kubelet.yaml --kubeconfig "/etc/kubernetes/$NODE.conf" \
  --hostname-override "$NODE" --node-ip "$ADDRESS" \
  --node-labels "topology.kubernetes.io/zone=$ZONE,topology.kubernetes.io/region=test"
wait
