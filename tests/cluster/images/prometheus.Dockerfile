FROM debian:trixie-slim
RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends prometheus \
 && rm -rf /var/lib/apt/lists/* /usr/bin/promtool
USER 10001:10001
ENTRYPOINT ["prometheus"]
