/** The version of Kubernetes that the tests run against: that of test/cluster/go/go.mod. */
export const KUBERNETES_VERSION = 'v1.34.4';

/** The programs of a cluster, as they are looked for and linked. */
export const KUBERNETES_PROGRAMS = [
  'etcd',
  'kube-apiserver',
  'kube-controller-manager',
  'kube-scheduler',
  'kubelet',
  'kube-proxy',
  'kubectl',
] as const;
