# Sourced: keeps programs running until the container is told to stop.
trap 'trap - TERM; kill 0; exit' TERM INT

supervise() {
  while :; do
    "$@" || true
    echo "$1 ended; it starts again" >&2
    sleep 1
  done &
}

# "range,address range,address": pods of the other nodes are one hop away.
routes() {
  for route in $1; do ip route replace "${route%,*}" via "${route#*,}"; done
}
