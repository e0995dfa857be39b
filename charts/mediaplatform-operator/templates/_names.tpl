{{- define "operator.selector" -}}
app.kubernetes.io/name: mediaplatform-operator
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "operator.tag" -}}
{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}

{{- define "operator.labels" -}}
{{ include "operator.selector" . }}
app.kubernetes.io/version: {{ include "operator.tag" . | trunc 63 | trimSuffix "-" | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/part-of: mediaplatform
{{- end }}

{{/* dict "root" $, and "suffix" or "namespace" where they are not the release's own */}}
{{- define "operator.metadata" -}}
name: {{ .root.Release.Name }}{{ with .suffix }}-{{ . }}{{ end }}
namespace: {{ .namespace | default .root.Release.Namespace }}
labels:
  {{- include "operator.labels" .root | nindent 2 }}
{{- end }}

{{- define "operator.clusterMetadata" -}}
name: {{ .root.Release.Name }}{{ with .suffix }}-{{ . }}{{ end }}
labels:
  {{- include "operator.labels" .root | nindent 2 }}
{{- end }}

{{- define "operator.account" -}}
{{ .Values.serviceAccount.name | default .Release.Name }}
{{- end }}

{{- define "operator.image" -}}
{{- with .Values.image.registry }}{{ trimSuffix "/" . }}/{{ end -}}
{{ .Values.image.repository }}
{{- with .Values.image.digest }}@{{ . }}{{ else }}:{{ include "operator.tag" . }}{{ end -}}
{{- end }}

{{- define "operator.checks" -}}
{{- if gt (len .Release.Name) 50 }}
{{- fail (printf "the release name %s has more than 50 characters; names of objects would be too long." .Release.Name) }}
{{- end }}
{{- if and .Values.watch.namespaces .Values.secretNamespaces }}
{{- fail "secretNamespaces is for all namespaces watched; each of watch.namespaces has its Secrets already." }}
{{- end }}
{{- if and .Values.aws.publicEndpoint (not .Values.aws.endpoint) }}
{{- fail "aws.publicEndpoint wants aws.endpoint too." }}
{{- end }}
{{- if not (or .Values.serviceAccount.create .Values.serviceAccount.name) }}
{{- fail "serviceAccount.name is required where serviceAccount.create is false." }}
{{- end }}
{{- end }}
