#!/bin/bash
# etcd, API server, controllers, scheduler. From the environment: ADDRESS, SERVICES, ROUTES.
set -euo pipefail
. /node/supervise.sh
pki=/etc/kubernetes/pki
routes "$ROUTES"

# A cluster of tests may forget what it did: nothing waits for the disk.
supervise etcd --data-dir /var/lib/etcd --unsafe-no-fsync --log-level warn \
  --listen-client-urls http://127.0.0.1:2379 --advertise-client-urls http://127.0.0.1:2379 \
  --listen-peer-urls http://127.0.0.1:2380

supervise kube-apiserver --etcd-servers http://127.0.0.1:2379 --advertise-address "$ADDRESS" \
  --client-ca-file $pki/ca.crt --tls-cert-file $pki/apiserver.crt --tls-private-key-file $pki/apiserver.key \
  --service-cluster-ip-range "$SERVICES" \
  --service-account-key-file $pki/sa.pub --service-account-signing-key-file $pki/sa.key \
  --service-account-issuer https://kubernetes.default.svc.cluster.local \
  --authorization-mode Node,RBAC --enable-admission-plugins NodeRestriction --allow-privileged=true \
  --kubelet-client-certificate $pki/apiserver-kubelet-client.crt \
  --kubelet-client-key $pki/apiserver-kubelet-client.key --kubelet-preferred-address-types InternalIP \
  --requestheader-client-ca-file $pki/front-proxy-ca.crt --requestheader-allowed-names front-proxy-client \
  --requestheader-extra-headers-prefix X-Remote-Extra- --requestheader-group-headers X-Remote-Group \
  --requestheader-username-headers X-Remote-User \
  --proxy-client-cert-file $pki/front-proxy-client.crt --proxy-client-key-file $pki/front-proxy-client.key \
  --enable-aggregator-routing=true \
  --default-not-ready-toleration-seconds 15 --default-unreachable-toleration-seconds 15 \
  --audit-policy-file /node/audit.yaml --audit-log-path /var/log/kubernetes/audit.log --audit-log-maxsize 500

identity() {
  echo --kubeconfig "/etc/kubernetes/$1.conf" --authentication-kubeconfig "/etc/kubernetes/$1.conf" \
    --authorization-kubeconfig "/etc/kubernetes/$1.conf" --leader-elect=false
}

supervise kube-controller-manager $(identity controller-manager) --use-service-account-credentials \
  --root-ca-file $pki/ca.crt --client-ca-file $pki/ca.crt --requestheader-client-ca-file $pki/front-proxy-ca.crt \
  --service-account-private-key-file $pki/sa.key \
  --cluster-signing-cert-file $pki/ca.crt --cluster-signing-key-file $pki/ca.key \
  --allocate-node-cidrs=false \
  --horizontal-pod-autoscaler-sync-period 5s --node-monitor-grace-period 15s

supervise kube-scheduler $(identity scheduler)
wait
