import { assert, describe, it } from "@effect/vitest"
import { toContainer, toService } from "../../src/lab/containerSpec.js"
import * as User from "../../src/lab/User.js"
import { settings } from "./settings.js"

describe("a user's container", () => {
  const ada = User.make("ada")

  it("has no swap beside its memory, fills no disk with what it prints, and changes none of its own files", () => {
    const { HostConfig } = toContainer(settings({ memory_bytes: 1000 }), ada, "t")
    assert.deepInclude(HostConfig, {
      Memory: 1000,
      MemorySwap: 1000,
      ReadonlyRootfs: true,
      LogConfig: { Type: "json-file", Config: { "max-size": "10m", "max-file": "3" } }
    })
    // Agents run what they put there; nothing there gives rights.
    assert.match(HostConfig?.Tmpfs?.["/tmp"] ?? "", /\bexec\b.*nosuid,nodev/)
  })

  it("is the same as a service", () => {
    const { TaskTemplate = {} } = toService(settings(), ada, "t")
    assert.deepInclude(TaskTemplate, {
      LogDriver: { Name: "json-file", Options: { "max-size": "10m", "max-file": "3" } }
    })
    const { ContainerSpec } = TaskTemplate as {
      readonly ContainerSpec?: { ReadOnly?: boolean; Mounts?: Array<{ Target: string }> }
    }
    assert.isTrue(ContainerSpec?.ReadOnly)
    assert.includeMembers(ContainerSpec?.Mounts?.map(({ Target }) => Target) ?? [], ["/tmp", "/home/labuser"])
  })
})
