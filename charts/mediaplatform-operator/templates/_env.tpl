{{/* MEDIAPLATFORM_OPERATOR_*, as the operator reads them; what is empty is left to its defaults. */}}
{{- define "operator.env" -}}
{{- $image := .Values.image }}
{{- $services := .Values.services }}
{{- $env := dict
  "NAMESPACES" (join "," .Values.watch.namespaces)
  "VALUES_FILE" "/etc/mediaplatform/values.yaml"
  "IMAGES_REGISTRY" ($services.registry | default $image.registry)
  "IMAGES_TAG" ($services.tag | default (include "operator.tag" .))
  "IMAGES_PULL_POLICY" ($services.pullPolicy | default $image.pullPolicy)
  "POSTGRES_IMAGE" .Values.evaluation.postgresImage
  "REDIS_IMAGE" .Values.evaluation.redisImage
  "AWS_ENDPOINT" .Values.aws.endpoint
  "AWS_PUBLIC_ENDPOINT" .Values.aws.publicEndpoint
  "AWS_IDENTITIES" .Values.aws.identities
  "INGRESS_CLASS" .Values.ingressClass
  "INTERVAL_SECONDS" (.Values.intervalSeconds | int)
  "OBSERVE_SECONDS" (.Values.observeSeconds | int)
  "LOG_LEVEL" .Values.logLevel
}}
{{- range $name, $value := $env }}
- name: MEDIAPLATFORM_OPERATOR_{{ $name }}
  value: {{ $value | quote }}
{{- end }}
- name: MEDIAPLATFORM_OPERATOR_NAMESPACE
  valueFrom:
    fieldRef:
      fieldPath: metadata.namespace
- name: MEDIAPLATFORM_OPERATOR_POD
  valueFrom:
    fieldRef:
      fieldPath: metadata.name
- name: HOME
  value: /tmp
{{- with .Values.aws.secret }}
{{- range $name, $key := dict "AWS_ACCESS_KEY_ID" "accessKeyId" "AWS_SECRET_ACCESS_KEY" "secretAccessKey" }}
- name: {{ $name }}
  valueFrom:
    secretKeyRef:
      name: {{ $.Values.aws.secret }}
      key: {{ $key }}
{{- end }}
{{- end }}
{{- end }}
