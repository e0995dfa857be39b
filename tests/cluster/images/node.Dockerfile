# A machine of the cluster: a node, or the control plane.
FROM debian:trixie-slim
RUN apt-get update -qq \
 && apt-get install -y -qq --no-install-recommends \
      ca-certificates conntrack containerd containernetworking-plugins ipset iproute2 iptables kmod mount nftables procps runc util-linux \
 && rm -rf /var/lib/apt/lists/*
COPY etcd kubernetes policies /usr/local/bin/
RUN cd /usr/local/bin \
 && for name in kube-apiserver kube-controller-manager kube-scheduler kube-proxy kubelet kubeadm kubectl; do ln -s kubernetes $name; done
COPY pause.tar node/ /node/
ENTRYPOINT ["/node/node.sh"]
