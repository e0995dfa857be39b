# Stands in for alpine/helm where no registry can be reached.
FROM scratch
COPY helm /usr/bin/helm
ENTRYPOINT ["/usr/bin/helm"]
