{{/* What is running, by name: "api ingest sweep", and "render" where it is on. */}}
{{- define "mediaplatform.workers" -}}
ingest{{ if .Values.workers.render.enabled }} render{{ end }}
{{- end }}

{{- define "mediaplatform.components" -}}
api {{ include "mediaplatform.workers" . }} sweep
{{- end }}

{{/* dict "root" $ "component" "api": what selectors match; never changes. */}}
{{- define "mediaplatform.selector" -}}
app.kubernetes.io/name: mediaplatform
app.kubernetes.io/instance: {{ .root.Release.Name }}
{{- with .component }}
app.kubernetes.io/component: {{ . }}
{{- end }}
{{- end }}

{{- define "mediaplatform.labels" -}}
{{ include "mediaplatform.selector" . }}
app.kubernetes.io/version: {{ include "mediaplatform.tag" .root | trunc 63 | trimSuffix "-" | quote }}
app.kubernetes.io/managed-by: {{ .root.Values.managedBy | default .root.Release.Service }}
app.kubernetes.io/part-of: mediaplatform
{{- with .root.Values.labels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "mediaplatform.metadata" -}}
name: {{ .root.Release.Name }}-{{ .name | default .component }}
namespace: {{ .root.Release.Namespace }}
labels:
  {{- include "mediaplatform.labels" . | nindent 2 }}
{{- end }}

{{- define "mediaplatform.tag" -}}
{{ .Values.images.tag | default .Chart.AppVersion }}
{{- end }}

{{/* dict "root" $ "image" "api" */}}
{{- define "mediaplatform.image" -}}
{{- $images := .root.Values.images -}}
{{- with $images.registry }}{{ trimSuffix "/" . }}/{{ end -}}
{{ get $images .image }}
{{- $tag := get $images.tags .image | default (include "mediaplatform.tag" .root) }}
{{- with get $images.digests .image }}@{{ . }}{{ else }}:{{ $tag }}{{ end -}}
{{- end }}

{{- define "mediaplatform.account" -}}
{{- if .root.Values.serviceAccounts.create -}}
{{ .root.Release.Name }}-{{ .component }}
{{- else -}}
default
{{- end -}}
{{- end }}

{{/* The pods of a Deployment, as a regular expression for PromQL. */}}
{{- define "mediaplatform.podRegex" -}}
{{ .root.Release.Name }}-{{ .component }}-[a-z0-9]+-[a-z0-9]+
{{- end }}
