# What `rescue_boot.yaml` mends, with `/bin/sh -eu`: a line of /etc/fstab that names a disk which is gone. Put here what your
# server needs, and into unmend.sh what takes it back.
umount /mnt/broken 2>/dev/null || true
mkdir -p /mnt/broken
mount /dev/vdb1 /mnt/broken
cp -a /mnt/broken/etc/fstab /mnt/broken/etc/fstab.before-rescue
sed -i '/^UUID=/s/defaults/defaults,nofail/' /mnt/broken/etc/fstab
umount /mnt/broken
