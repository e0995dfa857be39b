{{/* The spec of the migration Job. Before an install nothing of the release is there yet, so it stands
on the database's Secret alone. */}}
{{- define "mediaplatform.migrate" -}}
{{- $migrate := dict "root" $ "component" "migrate" -}}
backoffLimit: 4
activeDeadlineSeconds: {{ .Values.migration.deadlineSeconds }}
template:
  metadata:
    labels:
      {{- include "mediaplatform.podLabels" $migrate | nindent 6 }}
    {{- with get .Values.secrets.checksum "migrate" }}
    annotations:
      mediaplatform.io/checksum: {{ . | quote }}
    {{- end }}
  spec:
    restartPolicy: Never
    {{- include "mediaplatform.podSecurity" $migrate | nindent 4 }}
    {{- with .Values.nodeSelector }}
    nodeSelector:
      {{- toYaml . | nindent 6 }}
    {{- end }}
    {{- with .Values.tolerations }}
    tolerations:
      {{- toYaml . | nindent 6 }}
    {{- end }}
    containers:
      - name: migrate
        image: {{ include "mediaplatform.image" (dict "root" $ "image" "api") }}
        imagePullPolicy: {{ .Values.images.pullPolicy }}
        command: [python, -m, mediaplatform.platform.migrate, {{ .Values.migration.post | ternary "all" "pre" }}]
        env:
          {{- include "mediaplatform.secretEnv" (dict "name" "MEDIAPLATFORM_DATABASE_URL" "secret" .Values.secrets.database "key" "url") | nindent 10 }}
        resources:
          {{- toYaml .Values.migration.resources | nindent 10 }}
        {{- include "mediaplatform.containerSecurity" $migrate | nindent 8 }}
        volumeMounts:
          - name: tmp
            mountPath: /tmp
    volumes:
      - name: tmp
        emptyDir:
          sizeLimit: 16Mi
{{- end }}
