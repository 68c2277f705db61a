/**
 * Folders: where sessions may work. A folder is resolved (links followed) before it is compared with the roots.
 */
import { FileSystem, Path } from "@effect/platform"
import { Context, Effect, Layer, Schema } from "effect"
import { RelayConfig } from "./RelayConfig.js"

export class FolderNotFound
  extends Schema.TaggedError<FolderNotFound>()("FolderNotFound", { folder: Schema.String })
{
  override get message() {
    return `the folder "${this.folder}" does not exist on the relay's machine: set \`folder\` to one that does`
  }
}

export class ForbiddenFolder extends Schema.TaggedError<ForbiddenFolder>()("ForbiddenFolder", {
  folder: Schema.String,
  roots: Schema.Array(Schema.String)
}) {
  override get message() {
    return `the folder "${this.folder}" is outside of what this relay may use (${this.roots.join(", ")}): `
      + `choose one inside, or start the relay with --root ${this.folder}`
  }
}

export class Folders extends Context.Tag("ai-relay/services/Folders")<Folders, {
  /** The absolute, real path of an allowed folder. Relative ones start in `start_folder`. */
  readonly resolve: (folder: string) => Effect.Effect<string, FolderNotFound | ForbiddenFolder>
}>() {
  static readonly layer = Layer.effect(this, Effect.suspend(() => make))
}

const make = Effect.gen(function*() {
  const files = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const { roots, start_folder = "." } = yield* RelayConfig
  const realRoots = yield* Effect.forEach(
    roots,
    (root) => Effect.orElseSucceed(files.realPath(root), () => root)
  )

  const isInside = (folder: string, root: string) => {
    const way = path.relative(root, folder)
    return way === "" || (!way.startsWith(`..${path.sep}`) && way !== ".." && !path.isAbsolute(way))
  }

  const resolve = Effect.fn("Folders.resolve")(function*(folder: string) {
    const missing = () => new FolderNotFound({ folder })
    const real = yield* Effect.mapError(files.realPath(path.resolve(start_folder, folder)), missing)
    const { type } = yield* Effect.mapError(files.stat(real), missing)
    if (type !== "Directory") return yield* missing()
    if (!realRoots.some((root) => isInside(real, root))) return yield* new ForbiddenFolder({ folder, roots })
    return real
  })

  return Folders.of({ resolve })
})
