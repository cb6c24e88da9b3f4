"""Microsoft.Web.Administration as scripts see it, over the lab's configuration. It knows no script and no cmdlet."""
