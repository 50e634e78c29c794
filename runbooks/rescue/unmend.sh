# Takes back what mend.sh did, however far it came. It may be run twice.
mkdir -p /mnt/broken
mountpoint -q /mnt/broken || mount /dev/vdb1 /mnt/broken
if [ -e /mnt/broken/etc/fstab.before-rescue ]; then
  mv /mnt/broken/etc/fstab.before-rescue /mnt/broken/etc/fstab
fi
umount /mnt/broken
