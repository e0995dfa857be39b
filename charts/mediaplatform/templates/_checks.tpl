{{/* Refuses, in a sentence, values that could never work. */}}
{{- define "mediaplatform.checks" -}}
{{- $required := dict
  "host" (list .Values.host "the name by which browsers find page and API")
  "wiring.uploadsBucket" (list .Values.wiring.uploadsBucket "the bucket that clients upload to")
  "wiring.mediaBucket" (list .Values.wiring.mediaBucket "the bucket that renditions are served from")
  "wiring.ingestQueueUrl" (list .Values.wiring.ingestQueueUrl "the URL of the queue of uploads")
  "wiring.renderQueueUrl" (list .Values.wiring.renderQueueUrl "the URL of the queue of long jobs")
  "secrets.database" (list .Values.secrets.database "a Secret whose key `url` is a PostgreSQL URL")
  "secrets.redis" (list .Values.secrets.redis "a Secret whose key `url` is a Redis URL")
  "secrets.tokens" (list .Values.secrets.tokens "a Secret whose key `secret` signs access tokens")
}}
{{- range $name, $rest := $required }}
{{- if not (first $rest) }}
{{- fail (printf "%s is required: %s." $name (last $rest)) }}
{{- end }}
{{- end }}
{{- if gt (len .Release.Name) 40 }}
{{- fail (printf "the release name %s has more than 40 characters; names of Jobs would be too long." .Release.Name) }}
{{- end }}
{{- if and .Values.awsPublicEndpoint (not .Values.awsEndpoint) }}
{{- fail "awsPublicEndpoint wants awsEndpoint too." }}
{{- end }}
{{- $scaled := dict "api" .Values.api "workers.ingest" .Values.workers.ingest "workers.render" .Values.workers.render }}
{{- range $name, $values := $scaled }}
{{- if gt (int $values.replicas.min) (int $values.replicas.max) }}
{{- fail (printf "%s.replicas.min must be at most %s.replicas.max." $name $name) }}
{{- end }}
{{- end }}
{{- if .Values.autoscaling.enabled }}
{{- if and (eq .Values.autoscaling.provider "keda") (not .Values.autoscaling.prometheusAddress) }}
{{- fail "autoscaling.prometheusAddress is required with keda: where KEDA finds Prometheus." }}
{{- end }}
{{- if and (eq .Values.autoscaling.provider "prometheus-adapter") (lt (int .Values.workers.render.replicas.min) 1) }}
{{- fail "workers.render.replicas.min must be at least 1, or autoscaling.provider keda: an HPA cannot start from 0." }}
{{- end }}
{{- end }}
{{- end }}
