"""Which IP addresses are the public internet. Pure."""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

IPAddress = IPv4Address | IPv6Address
IPNetwork = IPv4Network | IPv6Network

# Everything IANA has given out as global unicast. What lies outside (loopback, link-local, unique local, v4-mapped,
# 64:ff9b::/96, multicast, unassigned space) is not the internet, whatever `is_global` says of it.
_GLOBAL_UNICAST = IPv6Network("2000::/3")

# Inside it, the blocks that carry an IPv4 address in disguise or lead to a relay, and documentation space newer than
# the standard library's tables.
_TUNNELS = tuple(map(IPv6Network, ("2001::/32", "2002::/16", "3fff::/20")))

# The anycast relay of 6to4 (RFC 7526 withdrew it); `is_global` still calls it public.
_IPV4_RELAYS = (IPv4Network("192.88.99.0/24"),)


def is_public(address: IPAddress) -> bool:
    """Whether `address` is reachable on the public internet and nowhere else."""
    if not address.is_global or address.is_multicast:
        return False
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _IPV4_RELAYS)
    return address in _GLOBAL_UNICAST and not any(address in network for network in _TUNNELS)
