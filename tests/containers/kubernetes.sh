#!/usr/bin/env bash
# A real Kubernetes of one node, on a bare Debian 12 with nothing but package registries.
#
#   kubernetes.sh build                          the programs: Kubernetes from the Go module proxy (Go 1.24 or newer; ten minutes, once),
#                                                containerd, runc, CNI plugins and etcd from Debian, unpacked and not installed
#   kubernetes.sh node IMAGES.tar -- COMMAND     a node in namespaces of its own (mounts, network, pids) with these images: runs
#                                                COMMAND, for which kubectl is there, and is gone with it
#
# It lives in $KUBERNETES_LAB (build/kubernetes: 2 GB), and needs root. What is not as elsewhere: limits and network policies are accepted and
# not enforced, names of services are not resolved, nothing is pulled, and volumes are made by hand.
set -euo pipefail
self=$(readlink -f "$0")
lab=${KUBERNETES_LAB:-$(cd "$(dirname "$self")/../.." && pwd)/build/kubernetes}
version=1.34.3
programs=(kube-apiserver kube-controller-manager kube-scheduler kube-proxy kubectl kubelet)
debian=(etcd-server containerd runc containernetworking-plugins iptables conntrack libip4tc2 libip6tc2 libmnl0 libnetfilter-conntrack3
  libnfnetlink0 libnftnl11 libxtables12)
pause=muster.test/pause:1
sock=/run/containerd.sock
api=https://127.0.0.1:16443

say() { printf 'kubernetes: %s\n' "$*" >&2; }

# Waits until COMMAND succeeds, a minute and more on a busy machine; fails with the log of whatever should have come up.
await() {  # LOG COMMAND...
  local log=$1
  shift
  for _ in $(seq 480); do
    "$@" > /dev/null 2>&1 && return
    sleep 0.25
  done
  tail -30 "$log" >&2
  return 1
}

build_kubernetes() {
  local at=$lab/src source flag name
  export GOPATH=$lab/go GOCACHE=$lab/go-cache GOFLAGS="-mod=mod -buildvcs=false -modcacherw" CGO_ENABLED=0
  mkdir -p "$at"
  cd "$at"
  command -v go > /dev/null || { say "Go is missing, 1.24 or newer (https://go.dev/dl)"; exit 1; }
  say "building Kubernetes $version"
  source=$(go mod download -json "k8s.io/kubernetes@v$version" | sed -n 's/.*"Dir": "\(.*\)".*/\1/p')
  # Its own go.mod, whose replacements by folders of its repository become the modules that are published of them.
  sed -E -e 's#^module .*#module muster.test/kubernetes#' \
    -e "s#=> \./staging/src/(k8s.io/[a-z0-9-]+)#=> \1 v0.${version#1.}#" "$source/go.mod" > go.mod
  cp "$source/go.sum" go.sum
  chmod u+w go.sum
  printf '//go:build tools\n\npackage tools\n\nimport _ "k8s.io/kubernetes/cmd/kube-apiserver"\n' > tools.go
  go mod edit -require="k8s.io/kubernetes@v$version"
  flag="-s -w"
  for name in k8s.io/component-base/version k8s.io/client-go/pkg/version; do
    flag="$flag -X $name.gitVersion=v$version -X $name.gitMajor=1 -X $name.gitMinor=34 -X $name.gitTreeState=archive"
  done
  for name in "${programs[@]}"; do
    nice go build -trimpath -ldflags "$flag" -o "$lab/bin/$name" "k8s.io/kubernetes/cmd/$name"
    say "$name"
  done
  # The one process of a pod's own container: waits for a signal.
  mkdir -p "$at/pause"
  cd "$at/pause"
  printf 'module pause\n\ngo 1.20\n' > go.mod
  printf 'package main\n\nimport (\n\t"os"\n\t"os/signal"\n\t"syscall"\n)\n\nfunc main() {\n\tends := make(chan os.Signal, 1)\n\tsignal.Notify(ends, syscall.SIGINT, syscall.SIGTERM)\n\t<-ends\n}\n' > main.go
  go build -o "$lab/pause" .
  rm -rf "$lab/go" "$lab/go-cache" "$lab/src"
}

build() {
  mkdir -p "$lab/bin"
  [ -x "$lab/pause" ] || build_kubernetes
  [ -x "$lab/root/usr/sbin/runc" ] && return
  mkdir -p "$lab/debian"
  cd "$lab/debian"
  apt-get -qq -o APT::Sandbox::User=root download "${debian[@]}"
  for package in *.deb; do dpkg-deb -x "$package" "$lab/root"; done
  rm -rf "$lab/debian"
}

# The image of `pause`, made by containerd itself of an archive of files.
pause_image() {  # OUT
  python3 - "$pause" "$lab/pause" "$1" <<'PYTHON'
import hashlib, io, json, sys, tarfile
name, program, out = sys.argv[1:]

def archive(files):
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as tar:
        for path, (content, mode) in files.items():
            entry = tarfile.TarInfo(path)
            entry.size, entry.mode = len(content), mode
            tar.addfile(entry, io.BytesIO(content))
    return data.getvalue()

with open(program, "rb") as file:
    layer = archive({"pause": (file.read(), 0o755)})
config = json.dumps({"architecture": "amd64", "os": "linux", "config": {"Entrypoint": ["/pause"], "User": "65534"}, "rootfs": {
    "type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(layer).hexdigest()]}}).encode()
digest = hashlib.sha256(config).hexdigest()
manifest = json.dumps([{"Config": digest + ".json", "RepoTags": [name], "Layers": ["layer.tar"]}]).encode()
with open(out, "wb") as file:
    file.write(archive({digest + ".json": (config, 0o644), "layer.tar": (layer, 0o644), "manifest.json": (manifest, 0o644)}))
PYTHON
}

start() {  # LOG-NAME COMMAND...
  local log=$node/log/$1
  shift
  "$@" > "$log" 2>&1 < /dev/null &
}

# What the node changes of the machine stays in here: folders, settings of the kernel, cgroups, network.
seal_off() {
  local pair file group
  for pair in lib:/var/lib run:/run log:/var/log; do
    mkdir -p "$node/var/${pair%%:*}"
    mount --bind "$node/var/${pair%%:*}" "${pair##*:}"
  done
  mkdir -p /run/lock /var/lib/kubelet /var/lib/cni /var/log/pods "$node/sys"
  for pair in vm/overcommit_memory=1 vm/panic_on_oom=0 kernel/panic=10 kernel/panic_on_oops=1 kernel/keys/root_maxkeys=1000000 \
    kernel/keys/root_maxbytes=25000000; do
    file=$node/sys/$(basename "${pair%%=*}")
    echo "${pair##*=}" > "$file"
    mount --bind "$file" "/proc/sys/${pair%%=*}"
  done
  for group in /sys/fs/cgroup /sys/fs/cgroup/*; do
    if mountpoint -q "$group"; then mount -o remount,bind,ro "$group" || true; fi
  done
  ip link set lo up
  ip link add node0 type bridge
  ip address add 10.200.0.1/24 dev node0
  ip link set node0 up
  ip route add default dev node0 || true
  echo 1 > /proc/sys/net/ipv4/ip_forward
}

# Programs that find themselves elsewhere than where Debian would have installed them.
wrap_programs() {
  local name usr=$lab/root/usr
  mkdir -p "$node/bin"
  printf '#!/bin/sh\nexec %s --rootless=true "$@"\n' "$usr/sbin/runc" > "$node/bin/runc"
  for name in iptables iptables-save iptables-restore ip6tables ip6tables-save ip6tables-restore; do
    printf '#!/bin/sh\nexport LD_LIBRARY_PATH=%s XTABLES_LIBDIR=%s\nexec %s %s "$@"\n' "$usr/lib/x86_64-linux-gnu" \
      "$usr/lib/x86_64-linux-gnu/xtables" "$usr/sbin/xtables-nft-multi" "$name" > "$node/bin/$name"
  done
  chmod +x "$node"/bin/*
  export PATH=$node/bin:$lab/bin:$usr/bin:$usr/sbin:$PATH
}

start_containerd() {  # IMAGES...
  mkdir -p "$node/cni"
  cat > "$node/cni/10-node.conflist" <<'JSON'
{"cniVersion": "0.4.0", "name": "node", "plugins": [{"type": "bridge", "bridge": "cni0", "isGateway": true, "hairpinMode": true,
 "ipam": {"type": "host-local", "ranges": [[{"subnet": "10.244.0.0/24"}]], "routes": [{"dst": "0.0.0.0/0"}]}}]}
JSON
  cat > "$node/containerd.toml" <<TOML
version = 2
root = "$node/containerd/root"
state = "$node/containerd/state"
[grpc]
  address = "$sock"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "$pause"
  disable_cgroup = true
  disable_apparmor = true
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "$lab/root/usr/lib/cni"
    conf_dir = "$node/cni"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        BinaryName = "$node/bin/runc"
TOML
  start containerd containerd -c "$node/containerd.toml"
  await "$node/log/containerd" ctr -a $sock version
  pause_image "$node/pause.tar"
  for image in "$node/pause.tar" "$@"; do ctr -a $sock -n k8s.io images import "$image" > /dev/null; done
}

start_control_plane() {
  local token certificates=$node/certificates
  mkdir -p "$certificates"
  token=$(head -c16 /dev/urandom | od -An -tx1 | tr -d ' \n')
  echo "$token,admin,admin,system:masters" > "$node/tokens.csv"
  openssl genrsa -out "$node/accounts.key" 2048 2> /dev/null
  start etcd etcd --data-dir "$node/etcd" --listen-client-urls http://127.0.0.1:12379 --advertise-client-urls http://127.0.0.1:12379 \
    --listen-peer-urls http://127.0.0.1:12380 --initial-advertise-peer-urls http://127.0.0.1:12380 \
    --initial-cluster default=http://127.0.0.1:12380 --unsafe-no-fsync
  start kube-apiserver kube-apiserver --etcd-servers=http://127.0.0.1:12379 --bind-address=127.0.0.1 --advertise-address=127.0.0.1 \
    --secure-port="${api##*:}" --cert-dir="$certificates" --service-cluster-ip-range=10.96.0.0/16 \
    --service-account-issuer=https://kubernetes.default.svc --service-account-key-file="$node/accounts.key" \
    --service-account-signing-key-file="$node/accounts.key" --token-auth-file="$node/tokens.csv" --authorization-mode=Node,RBAC \
    --allow-privileged=true --endpoint-reconciler-type=none --kubelet-preferred-address-types=InternalIP
  cat > "$node/kubeconfig" <<YAML
apiVersion: v1
kind: Config
clusters: [{name: node, cluster: {server: "$api", insecure-skip-tls-verify: true}}]
users: [{name: admin, user: {token: "$token"}}]
contexts: [{name: node, context: {cluster: node, user: admin}}]
current-context: node
YAML
  export KUBECONFIG=$node/kubeconfig KUBECACHEDIR=$node/kubectl-cache
  await "$node/log/kube-apiserver" kubectl get --raw /readyz
  start kube-controller-manager kube-controller-manager --kubeconfig="$KUBECONFIG" --bind-address=127.0.0.1 --cert-dir="$certificates" \
    --service-account-private-key-file="$node/accounts.key" --root-ca-file="$certificates/apiserver.crt" \
    --use-service-account-credentials=true --leader-elect=false
  start kube-scheduler kube-scheduler --kubeconfig="$KUBECONFIG" --bind-address=127.0.0.1 --cert-dir="$certificates" --leader-elect=false
}

start_kubelet() {
  cat > "$node/kubelet.yaml" <<YAML
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
address: 10.200.0.1
authentication: {anonymous: {enabled: true}, webhook: {enabled: false}}
authorization: {mode: AlwaysAllow}
cgroupDriver: cgroupfs
cgroupsPerQOS: false
enforceNodeAllocatable: []
failSwapOn: false
containerRuntimeEndpoint: unix://$sock
resolvConf: ""
featureGates: {KubeletInUserNamespace: true}
evictionHard: {nodefs.available: "1%", imagefs.available: "1%"}
localStorageCapacityIsolation: false
volumePluginDir: $node/volume-plugins
YAML
  start kubelet kubelet --config="$node/kubelet.yaml" --kubeconfig="$KUBECONFIG" --hostname-override=node --node-ip=10.200.0.1 \
    --root-dir=/var/lib/kubelet --cert-dir="$node/kubelet-certificates"
  start kube-proxy kube-proxy --kubeconfig="$KUBECONFIG" --hostname-override=node --proxy-mode=iptables --cluster-cidr=10.244.0.0/16 \
    --conntrack-max-per-core=0 --conntrack-tcp-timeout-established=0 --conntrack-tcp-timeout-close-wait=0 --bind-address=10.200.0.1
  await "$node/log/kubelet" kubectl wait --for=condition=Ready node/node --timeout=1s
  await "$node/log/kube-controller-manager" kubectl get serviceaccount default
}

inside() {  # FOLDER IMAGES... -- COMMAND...
  node=$1
  shift
  local images=()
  while [ "$1" != -- ]; do
    images+=("$1")
    shift
  done
  shift
  mkdir -p "$node/log"
  seal_off
  wrap_programs
  start_containerd "${images[@]}"
  start_control_plane
  start_kubelet
  say "the node is ready"
  "$@"
}

case "${1:-}" in
  build) build ;;
  node)
    shift
    (build)
    node=$(mktemp -d "$lab/node.XXXXXX")
    trap 'rm -rf --one-file-system "$node"' EXIT
    unshare --mount --net --pid --fork --mount-proc --kill-child --propagation private "$self" inside "$node" "$@" &
    trap 'kill $!' INT TERM
    wait $!
    ;;
  inside)
    shift
    inside "$@"
    ;;
  *)
    sed -n '2,11s/^# \{0,1\}//p' "$self"
    exit 2
    ;;
esac
