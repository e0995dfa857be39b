# S3, SQS and IAM in one process, in the version that the laptop uses.
FROM python:3.13-slim AS build
COPY uv.txt emulator.txt /requirements/
RUN python3 -m venv /uv && /uv/bin/pip install --quiet --no-cache-dir --require-hashes -r /requirements/uv.txt
RUN /uv/bin/uv venv --quiet --python python3 /opt/emulator \
 && /uv/bin/uv pip sync --quiet --no-cache --require-hashes --compile-bytecode --python /opt/emulator/bin/python /requirements/emulator.txt

FROM python:3.13-slim
COPY --from=build /opt/emulator /opt/emulator
USER 10001:10001
ENTRYPOINT ["/opt/emulator/bin/ministack"]
