# What `pre_upgrade.yaml` runs on the server, with `/bin/sh -eu`: any command that fails ends it, and the run is undone.
export DEBIAN_FRONTEND=noninteractive
sudo apt-get update --quiet
sudo apt-get upgrade --quiet --yes
