"""What the Terraform provider of Huawei Cloud does to notebooks, acted out.

The provider is a Go program that no registry of packages brings. Acted out are its way to sign, the calls of
each resource and data source in their order, the statuses that it takes, the types that its structs hold, and
which states may come while it waits. It looks again every 10 s; here that is done much sooner. Not acted out:
that it tries again on 429, and saved images, which this service does not make yet.
"""
