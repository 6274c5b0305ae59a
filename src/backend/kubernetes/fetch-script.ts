/** Seconds without a byte after which a download is begun again, and how often it is begun. */
const SILENT_SECONDS = 60;
const TRIES = 5;
/** How long a pod waits for another one that fetches the same file, in seconds. Then it fetches it, too. */
const TURN_SECONDS = 900;

/**
 * Downloads a file before llama-server starts, which checks no sums (llama.cpp v0.5.0, common/download.cpp). Arguments: URL, the
 * path where the file is wanted, and its SHA-256 or nothing. With a sum the file is kept in `LLAMA_CACHE` under the sum: it gets that
 * name only when it is whole and right, so that whoever finds it may take it. Pods that share the cache take turns by a lock of the
 * file system, which ends with its holder. It only saves a second download: where there is no such lock, or no `flock`, or the turn
 * takes too long, each goes on by itself, and writes a part of its own. A pod of the same name goes on where the one before has
 * ended. The last line says what went wrong: curl's own words repeat no URL, which may hold a secret.
 */
export const FETCH_SCRIPT = `url=$1 file=$2 sum=$3
fail() { echo "$1" >&2; exit 1; }
for tool in curl sha256sum mkdir mv ln rm sleep; do
  command -v "$tool" >/dev/null || fail "the image has no $tool, without which nothing is downloaded"
done
kept=$file
if [ -n "$sum" ]; then kept=$LLAMA_CACHE/corral/sha256-$sum.gguf; fi
mkdir -p "\${file%/*}" "\${kept%/*}" || fail "the cache cannot be written"
if [ -n "$sum" ] && [ ! -f "$kept" ] && (: >>"$kept.lock") 2>/dev/null; then
  exec 9>>"$kept.lock"
  flock -w ${TURN_SECONDS} 9 2>/dev/null
fi
part=$kept.$CORRAL_POD.part
old=; if [ -s "$part" ]; then old=yes; fi
try=1
until [ -n "$sum" ] && [ -f "$kept" ]; do
  said=$(curl -gsSfL --proto =http,https --connect-timeout 30 -y ${SILENT_SECONDS} -Y 1 -C - -o "$part" --url "$url" 2>&1)
  code=$?
  case $code in
    0)
      real=$(sha256sum <"$part") || fail "the cache cannot be read"
      real=\${real%% *}
      if [ -z "$sum" ] || [ "$real" = "$sum" ]; then
        mv -f "$part" "$kept" || fail "the cache cannot be written"
        break
      fi
      rm -f "$part"
      if [ -z "$old" ]; then fail "the file is another one: its SHA-256 is $real, not $sum"; fi
      old= ;;
    23)
      rm -f "$part"
      fail "the cache is full or cannot be written: $said" ;;
    22 | 33 | 36)
      if [ -z "$old" ]; then fail "$said"; fi
      rm -f "$part"
      old= ;;
    *)
      if [ "$try" -ge ${TRIES} ]; then fail "$said"; fi
      try=$((try + 1))
      if [ -s "$part" ]; then old=yes; fi
      sleep 2 ;;
  esac
done
if [ "$kept" != "$file" ]; then ln -sf "$kept" "$file" || fail "the cache cannot be written"; fi`;
