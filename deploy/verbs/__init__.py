# SPDX-License-Identifier: Apache-2.0
"""The verbs of deploying (deploy/README.md, "The verbs")."""
