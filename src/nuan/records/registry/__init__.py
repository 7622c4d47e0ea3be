"""Who supplies whom: banners, companies, sources, substations, loops, buildings, homes and their contracts."""
