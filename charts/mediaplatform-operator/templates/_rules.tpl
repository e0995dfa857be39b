{{/* What looking after a resource takes, in its namespace, besides its Secrets. */}}
{{- define "operator.rules" -}}
- apiGroups: [mediaplatform.io]
  resources: [mediaplatforms]
  verbs: [get, list, watch, patch]
- apiGroups: [mediaplatform.io]
  resources: [mediaplatforms/status]
  verbs: [get, patch]
- apiGroups: [mediaplatform.io]
  resources: [mediaplatforms/finalizers]
  verbs: [update]
- apiGroups: [""]
  resources: [events]
  verbs: [create, patch]
- apiGroups: [""]
  resources: [pods]
  verbs: [get, list, watch, patch] # patch: which worker goes last
- apiGroups: [""]
  resources: [configmaps, serviceaccounts, services]
  verbs: &owned [get, list, watch, create, patch, delete]
- apiGroups: [apps]
  resources: [deployments, statefulsets]
  verbs: *owned
- apiGroups: [autoscaling]
  resources: [horizontalpodautoscalers]
  verbs: *owned
- apiGroups: [batch]
  resources: [cronjobs, jobs]
  verbs: *owned
- apiGroups: [networking.k8s.io]
  resources: [ingresses, networkpolicies]
  verbs: *owned
- apiGroups: [policy]
  resources: [poddisruptionbudgets]
  verbs: *owned
- apiGroups: [monitoring.coreos.com]
  resources: [podmonitors, prometheusrules, servicemonitors]
  verbs: *owned
- apiGroups: [keda.sh]
  resources: [scaledobjects, triggerauthentications]
  verbs: *owned
{{- end }}

{{- define "operator.secretRules" -}}
- apiGroups: [""]
  resources: [secrets]
  verbs: [get, list, watch, create, patch, delete]
{{- end }}

{{- define "operator.subjects" -}}
subjects:
  - kind: ServiceAccount
    name: {{ include "operator.account" . }}
    namespace: {{ .Release.Namespace }}
{{- end }}
