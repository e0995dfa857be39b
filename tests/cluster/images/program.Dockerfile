# One static program, and no system around it.
FROM scratch
COPY program /program
USER 10001:10001
ENTRYPOINT ["/program"]
