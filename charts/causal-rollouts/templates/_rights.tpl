{{- define "rights.namespaced" -}}
# its own kinds; spec is never written, `patch` is for the finalizer and for clearing one-shot annotations
- apiGroups: [causalrollouts.dev]
  resources: [causalrollouts]
  verbs: [get, list, watch, patch]
- apiGroups: [causalrollouts.dev]
  resources: [causalrollouts/status]
  verbs: [patch]
- apiGroups: [causalrollouts.dev]
  resources: [causalrollouts/finalizers, rolloutrecords/finalizers]
  verbs: [update]
- apiGroups: [causalrollouts.dev]
  resources: [rolloutrecords]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [causalrollouts.dev]
  resources: [rolloutrecords/status]
  verbs: [patch]
# the target: label, pause and un-pause
- apiGroups: [apps]
  resources: [deployments]
  verbs: [get, list, watch, patch]
- apiGroups: [apps]
  resources: [statefulsets, daemonsets]
  verbs: [get, list]
# slots, and the candidate's ReplicaSet when a promotion is undone
- apiGroups: [apps]
  resources: [replicasets]
  verbs: [get, list, watch, create, delete]
- apiGroups: [""]
  resources: [pods]
  verbs: [get, list, watch, delete]
# podShare: the readiness gate of a slot's pod
- apiGroups: [""]
  resources: [pods/status]
  verbs: [patch]
- apiGroups: [""]
  resources: [persistentvolumeclaims]
  verbs: [get, list, watch]
# traffic
- apiGroups: [""]
  resources: [services]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [discovery.k8s.io]
  resources: [endpointslices]
  verbs: [get, list, watch]
- apiGroups: [gateway.networking.k8s.io]
  resources: [httproutes, grpcroutes]
  verbs: [get, list, watch, patch]
# what it did, for people to read
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create, patch]
{{- end -}}

{{- define "rights.cluster" -}}
# objects that stand in no namespace: the policy that a rollout names, and where pods may run
- apiGroups: [causalrollouts.dev]
  resources: [rolloutpolicies]
  verbs: [get, list, watch]
- apiGroups: [""]
  resources: [nodes]
  verbs: [get, list, watch]
{{- end -}}

{{- define "rights.home" -}}
# the namespace itself, whose label may name the policy of all rollouts in it
- apiGroups: [""]
  resources: [namespaces]
  verbs: [get]
{{- end -}}

{{- define "rights.discovery" -}}
# what kopf needs to follow namespaces that come and go
- apiGroups: [apiextensions.k8s.io]
  resources: [customresourcedefinitions]
  verbs: [get, list, watch]
- apiGroups: [""]
  resources: [namespaces]
  verbs: [get, list, watch]
{{- end -}}
