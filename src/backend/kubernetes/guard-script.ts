import { LLAMA_PORT } from '../../api/cluster/pod-marks.ts';

/** Seconds without a busy slot after which a pod that somebody has deleted may end. */
const QUIET_SECONDS = 5;

/**
 * Runs before SIGTERM, which would cut every stream, when somebody else than Corral deletes the pod, or Corral without the word of
 * an edge: waits until no slot has been busy for some seconds; the edges have seen the deletion by then. An answer that does not come in time may hide a
 * busy slot and counts as one; a server that does not listen, or still loads, has none. Bounded by the pod's grace. An image
 * without curl cannot be asked, and gets the seconds alone.
 */
export const guardScript = (
  prefix: string,
): string => `case "$POD_IP" in *:*) host="[$POD_IP]" ;; *) host=$POD_IP ;; esac
quiet=0
while [ "$quiet" -lt ${QUIET_SECONDS} ]; do
  slots=$(curl -s -m 2 "http://$host:${LLAMA_PORT}${prefix}/slots")
  if [ $? -eq 28 ]; then slots='"is_processing":true'; fi
  case "$slots" in *'"is_processing":true'*) quiet=0 ;; *) quiet=$((quiet + 1)) ;; esac
  sleep 1
done`;
