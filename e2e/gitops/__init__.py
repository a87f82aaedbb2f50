"""GitOps for real: Flux and Argo CD as processes of this machine, and a Git repository that they sync."""
