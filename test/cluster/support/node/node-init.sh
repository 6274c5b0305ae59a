# The first thing that runs in a node's namespaces: node-init.sh FOLDER NAME PAUSE. Mounts what a machine has of its own,
# and becomes `pause`.
set -eu
folder=$1 name=$2 pause=$3

mount -t proc proc /proc
umount -R /sys
mount -t sysfs sysfs /sys
mount -t tmpfs -o mode=755 tmpfs /sys/fs/cgroup
# Seen from this cgroup namespace, the group that was made for the node is the root of each hierarchy.
while IFS=: read -r _ controllers _; do
  case $controllers in
    '') continue ;;
    name=*) option=none,$controllers ;;
    *) option=$controllers ;;
  esac
  mkdir "/sys/fs/cgroup/${controllers#name=}"
  mount -t cgroup -o "$option" cgroup "/sys/fs/cgroup/${controllers#name=}"
done </proc/self/cgroup

# The kubelet wants some settings of the kernel to be its own way; it sees files, and the machine's settings stay.
for file in "$folder"/kernel/*; do
  mount --bind "$file" "/proc/sys/$(basename "$file" | tr . /)"
done

# The usual paths can be used by everything, and nothing of it is left on the machine.
mount -t tmpfs -o mode=755 tmpfs /run
mount -t tmpfs -o mode=755 tmpfs /var/lib
for part in containerd kubelet cni; do
  mkdir "/var/lib/$part"
  mount --bind "$folder/lib-$part" "/var/lib/$part"
done
mount --bind "$folder/log" /var/log
hostname "$name"
ip link set lo up
# The kubelet needs mounts that spread into the pods' namespaces.
mount --make-rshared /
touch "$folder/up"
exec "$pause"
