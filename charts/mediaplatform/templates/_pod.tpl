{{/* Parts of every pod; each takes dict "root" $ "component" "api". */}}

{{- define "mediaplatform.podLabels" -}}
{{ include "mediaplatform.labels" . }}
{{- end }}

{{- define "mediaplatform.podAnnotations" -}}
mediaplatform.io/settings-checksum: {{ include "mediaplatform.settings" .root | sha256sum | trunc 16 }}
{{- with get .root.Values.secrets.checksum .component }}
mediaplatform.io/checksum: {{ . | quote }}
{{- end }}
{{- end }}

{{- define "mediaplatform.podSecurity" -}}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  seccompProfile:
    type: RuntimeDefault
{{- with .root.Values.images.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- end }}

{{- define "mediaplatform.placement" -}}
{{- with .root.Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .root.Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
tolerations:
  {{- range list "node.kubernetes.io/not-ready" "node.kubernetes.io/unreachable" }}
  - key: {{ . }}
    operator: Exists
    effect: NoExecute
    tolerationSeconds: {{ $.root.Values.topology.evictAfterSeconds | int }}
  {{- end }}
  {{- with .root.Values.tolerations }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- /* Honor: the nodes of a lost zone are tainted, so its emptiness holds back no pod of the others. */}}
topologySpreadConstraints:
  {{- $places := dict "topology.kubernetes.io/zone" .root.Values.topology.zones "kubernetes.io/hostname" .root.Values.topology.hosts }}
  {{- range $key, $unsatisfiable := $places }}
  - topologyKey: {{ $key }}
    maxSkew: 1
    whenUnsatisfiable: {{ $unsatisfiable }}
    nodeAffinityPolicy: Honor
    nodeTaintsPolicy: Honor
    matchLabelKeys: [pod-template-hash]
    labelSelector:
      matchLabels:
        {{- include "mediaplatform.selector" $ | nindent 8 }}
  {{- end }}
{{- end }}

{{/* Takes the name of the port. */}}
{{- define "mediaplatform.probes" -}}
{{- $questions := dict "startupProbe" "live" "livenessProbe" "live" "readinessProbe" "ready" }}
{{- $failures := dict "startupProbe" 60 "livenessProbe" 6 "readinessProbe" 2 }}
{{- range $probe, $question := $questions }}
{{ $probe }}:
  httpGet:
    path: /health/{{ $question }}
    port: {{ $ }}
  periodSeconds: {{ eq $probe "startupProbe" | ternary 1 5 }}
  timeoutSeconds: 3
  failureThreshold: {{ get $failures $probe }}
{{- end }}
{{- end }}

{{- define "mediaplatform.containerSecurity" -}}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities:
    drop: [ALL]
{{- end }}

{{- define "mediaplatform.secretEnv" -}}
- name: {{ .name }}
  valueFrom:
    secretKeyRef:
      name: {{ .secret }}
      key: {{ .key }}
{{- end }}

{{- define "mediaplatform.env" -}}
{{- $secrets := .root.Values.secrets -}}
envFrom:
  - configMapRef:
      name: {{ .root.Release.Name }}-settings
env:
  {{- include "mediaplatform.secretEnv" (dict "name" "MEDIAPLATFORM_DATABASE_URL" "secret" $secrets.database "key" "url") | nindent 2 }}
  {{- include "mediaplatform.secretEnv" (dict "name" "MEDIAPLATFORM_REDIS_URL" "secret" $secrets.redis "key" "url") | nindent 2 }}
  {{- if eq .component "api" }}
  {{- include "mediaplatform.secretEnv" (dict "name" "MEDIAPLATFORM_TOKEN_SECRET" "secret" $secrets.tokens "key" "secret") | nindent 2 }}
  {{- end }}
  {{- with $secrets.aws }}
  {{- $secret := printf "%s-%s" . $.component }}
  {{- include "mediaplatform.secretEnv" (dict "name" "AWS_ACCESS_KEY_ID" "secret" $secret "key" "accessKeyId") | nindent 2 }}
  {{- include "mediaplatform.secretEnv" (dict "name" "AWS_SECRET_ACCESS_KEY" "secret" $secret "key" "secretAccessKey") | nindent 2 }}
  {{- end }}
{{- end }}
