{{/* The data of the settings ConfigMap: what all components share and nobody must hide. */}}
{{- define "mediaplatform.settings" -}}
AWS_DEFAULT_REGION: {{ .Values.region | quote }}
AWS_REGION: {{ .Values.region | quote }}
MEDIAPLATFORM_PUBLIC_URL: {{ .Values.publicUrl | default (printf "https://%s" .Values.host) | quote }}
MEDIAPLATFORM_REGION: {{ .Values.region | quote }}
{{- with .Values.awsEndpoint }}
MEDIAPLATFORM_AWS_ENDPOINT: {{ . | quote }}
{{- end }}
{{- with .Values.awsPublicEndpoint }}
MEDIAPLATFORM_AWS_PUBLIC_ENDPOINT: {{ . | quote }}
{{- end }}
{{- range $name, $value := .Values.wiring }}
MEDIAPLATFORM_{{ snakecase $name | upper }}: {{ $value | quote }}
{{- end }}
{{- range $name, $value := .Values.settings }}
MEDIAPLATFORM_{{ snakecase $name | upper }}: {{ kindIs "string" $value | ternary $value (int64 $value) | quote }}
{{- end }}
MEDIAPLATFORM_BIND_HOST: {{ .Values.bindHost | quote }}
MEDIAPLATFORM_PORT: "8080"
MEDIAPLATFORM_METRICS_PORT: "9090"
MEDIAPLATFORM_SCRATCH_FOLDER: /scratch
{{- end }}
