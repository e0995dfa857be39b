{{- define "mediaplatform.scaled" -}}
api {{ include "mediaplatform.workers" . }}
{{- end }}

{{/* dict "root" $ "component" "api": {min, max, perReplica} */}}
{{- define "mediaplatform.scale" -}}
{{- $values := eq .component "api" | ternary .root.Values.api (get .root.Values.workers .component) -}}
min: {{ $values.replicas.min }}
max: {{ $values.replicas.max }}
perReplica: {{ $values.inFlightPerReplica | default $values.messagesPerReplica }}
{{- end }}

{{- define "mediaplatform.behaviour" -}}
{{- $up := .Values.autoscaling.behaviour.up -}}
{{- $down := .Values.autoscaling.behaviour.down -}}
scaleUp:
  stabilizationWindowSeconds: {{ $up.windowSeconds }}
  selectPolicy: Max
  policies:
    - type: Percent
      value: {{ $up.percent }}
      periodSeconds: {{ $up.periodSeconds }}
    - type: Pods
      value: {{ $up.pods }}
      periodSeconds: {{ $up.periodSeconds }}
scaleDown:
  stabilizationWindowSeconds: {{ $down.windowSeconds }}
  policies:
    - type: Pods
      value: {{ $down.pods }}
      periodSeconds: {{ $down.periodSeconds }}
{{- end }}
