# What `rescue_boot.yaml` looks at, with `/bin/sh -eu`: the broken system's disk is mounted for reading only.
disk=/dev/vdb1
lsblk -f
mkdir -p /mnt/broken
mountpoint -q /mnt/broken || mount -o ro "$disk" /mnt/broken
df -h /mnt/broken
cat /mnt/broken/etc/fstab
tail -n 30 /mnt/broken/var/log/syslog
