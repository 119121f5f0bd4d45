#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Takes this instance's share of its zone's sources: those that nobody has first, then from whoever has more than the
# share. Run at boot and every half minute, so sources of an instance that ended are with another within a minute.
# The engine sees by the instance's metadata which are here (ec2_public_ipv4) and sends from these only.
# usage: claim.sh INSTALLATION ZONE
set -euo pipefail

installation=$1
zone=$2
metadata=http://169.254.169.254/latest
token=$(curl -sf -m 5 -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 60' "$metadata/api/token")
ask() { curl -sf -m 5 -H "X-aws-ec2-metadata-token: $token" "$metadata/meta-data/$1"; }
instance=$(ask instance-id)
mac=$(ask mac)
interface=$(ask "network/interfaces/macs/$mac/interface-id")
AWS_DEFAULT_REGION=$(ask placement/region)
export AWS_DEFAULT_REGION

# A line each: allocation, private address, instance that has it or None.
listed=$(aws ec2 describe-addresses --output text \
  --filters "Name=tag:todoku:installation,Values=$installation" "Name=tag:todoku:zone,Values=$zone" \
  --query 'Addresses[].[AllocationId, Tags[?Key==`todoku:private-ip`] | [0].Value, InstanceId]')
if [ -z "$listed" ]; then
  echo "no address has the tags of $installation and $zone" >&2
  exit 1
fi
declare -A count=([$instance]=0)
total=0
while read -r _ _ holder; do
  total=$((total + 1))
  [ "$holder" = None ] || count[$holder]=$((${count[$holder]:-0} + 1))
done <<<"$listed"
share=$(((total + ${#count[@]} - 1) / ${#count[@]}))

device=$(ip -o route get 169.254.169.254 | sed 's/.* dev \([^ ]*\).*/\1/')
here() { ask "network/interfaces/macs/$mac/local-ipv4s"; }
# The private address is the lock: of two instances that take a free source one gets it, and the other nothing.
take() {  # allocation, private address, no or empty
  grep -qxF "$2" <<<"$(here)" ||
    aws ec2 assign-private-ip-addresses --network-interface-id "$interface" --private-ip-addresses "$2" \
      "--${3}allow-reassignment" >/dev/null || return 1
  aws ec2 associate-address --allocation-id "$1" --network-interface-id "$interface" \
    --private-ip-address "$2" "--${3}allow-reassociation" >/dev/null
}
for pass in free taken; do
  while read -r allocation address holder; do
    if [ "${count[$instance]}" -lt "$share" ]; then
      # Another may have been faster: the next look tells.
      if [ "$pass" = free ] && [ "$holder" = None ]; then
        take "$allocation" "$address" no- || continue
        count[$instance]=$((count[$instance] + 1))
      elif [ "$pass" = taken ] && [ "$holder" != None ] && [ "$holder" != "$instance" ] &&
        [ "${count[$holder]}" -gt "$share" ]; then
        take "$allocation" "$address" "" || continue
        count[$instance]=$((count[$instance] + 1))
        count[$holder]=$((count[$holder] - 1))
      fi
    fi
  done <<<"$listed"
done

# The system has on its interface what is the instance's by now, and nothing that has gone to another.
mine=$(here)
while read -r _ address _; do
  if grep -qxF "$address" <<<"$mine"; then
    ip address replace "$address/32" dev "$device"
  else
    ip address del "$address/32" dev "$device" 2>/dev/null || true
  fi
done <<<"$listed"
