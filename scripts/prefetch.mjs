/**
 * prefetch: installs the other Nodes, the real agents and the fronts' clients in the background, before their suites run. It
 * always succeeds: the suites install what is missing, or say why they skip it.
 */
import { agentVersions, selectVersions } from "./agentVersions.mjs"
import { installAgents } from "./installAgents.mjs"
import { installJudges, judges } from "./judges.mjs"
import { majors, nodeOf } from "./nodeOf.mjs"

for (const major of majors) await nodeOf(major)
await installAgents(selectVersions(Object.keys(agentVersions), ["newest"]))
await installJudges(Object.keys(judges))
