/**
 * Folders: decides where sessions may work. A folder is resolved, following links, before it is compared with the roots. The
 * relay's own state, with its token and sessions, is excluded unless a root lies in there.
 */
import { Context, Effect, FileSystem, Layer, Path, type PlatformError, Schema } from "effect"
import { fromHome } from "../fromHome.js"
import { RelayConfig } from "../RelayConfig.js"

export class FolderNotFound extends Schema.TaggedError<FolderNotFound>()("FolderNotFound", {
  folder: Schema.String,
  /** What is wrong: it is not a folder, or the relay's user may not look into it. Absent: it does not exist. */
  why: Schema.optional(Schema.Literals(["other", "denied"]))
}) {
  override get message() {
    switch (this.why) {
      case "other":
        return `"${this.folder}" is not a folder: set \`folder\` to a folder on the relay's machine`
      case "denied":
        return `the relay's user may not look into "${this.folder}": change its permissions, or set \`folder\` to another folder`
      default:
        return `the folder "${this.folder}" does not exist on the relay's machine: set \`folder\` to one that does`
    }
  }
}

export class ForbiddenFolder extends Schema.TaggedError<ForbiddenFolder>()("ForbiddenFolder", {
  folder: Schema.String,
  roots: Schema.Array(Schema.String)
}) {
  override get message() {
    const allowed = this.roots.length === 0 ? "nothing: it has no --root" : this.roots.join(", ")
    return `the folder "${this.folder}" is outside the allowed folders (${allowed}): `
      + `choose one inside, or start the relay with --root ${this.folder}`
  }
}

export class Folders extends Context.Service<Folders, {
  /** The absolute, real path of an allowed folder. Relative paths start in `start_folder`. */
  readonly resolve: (folder: string) => Effect.Effect<string, FolderNotFound | ForbiddenFolder>
  /** The absolute, real path this folder has, or would have; it need not exist or be allowed. */
  readonly leadsTo: (folder: string) => Effect.Effect<string>
  /** Whether this real, absolute path may be used; it need not exist. */
  readonly allows: (real: string) => boolean
}>()("ai-relay/services/Folders") {
  static readonly layer = Layer.effect(this, Effect.suspend(() => make))
}

const make = Effect.gen(function*() {
  const files = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const { roots, start_folder = ".", state_dir } = yield* RelayConfig
  const realOf = (folder: string) => Effect.orElseSucceed(files.realPath(folder), () => path.resolve(folder))
  const realRoots = yield* Effect.forEach(roots, realOf)
  const state = state_dir === undefined ? undefined : yield* realOf(state_dir)

  const isInside = (folder: string, root: string) => {
    const way = path.relative(root, folder)
    return way === "" || (!way.startsWith(`..${path.sep}`) && way !== ".." && !path.isAbsolute(way))
  }

  const isAllowed = (folder: string) => {
    const allowing = realRoots.filter((root) => isInside(folder, root))
    return state !== undefined && isInside(folder, state)
      ? allowing.some((root) => isInside(root, state))
      : allowing.length > 0
  }

  /** The real path, or where it would be: the missing part is appended to what exists. */
  const placeOf = (absolute: string): Effect.Effect<string> =>
    Effect.catch(files.realPath(absolute), () => {
      const above = path.dirname(absolute)
      return above === absolute
        ? Effect.succeed(absolute)
        : Effect.map(placeOf(above), (place) => path.join(place, path.basename(absolute)))
    })

  const absoluteOf = (folder: string) => path.resolve(start_folder, fromHome(folder))

  const resolve = Effect.fn("Folders.resolve")(function*(folder: string) {
    const missing = ({ reason }: PlatformError.PlatformError) =>
      new FolderNotFound({ folder, ...(reason._tag === "PermissionDenied" && { why: "denied" }) })
    const absolute = absoluteOf(folder)
    // Outside the roots nobody is told what exists.
    if (!isAllowed(yield* placeOf(absolute))) return yield* new ForbiddenFolder({ folder, roots })
    const real = yield* Effect.mapError(files.realPath(absolute), missing)
    // A link on the way may have been exchanged meanwhile.
    if (!isAllowed(real)) return yield* new ForbiddenFolder({ folder, roots })
    const { type } = yield* Effect.mapError(files.stat(real), missing)
    if (type !== "Directory") return yield* new FolderNotFound({ folder, why: "other" })
    return real
  })

  return Folders.of({ resolve, leadsTo: (folder) => placeOf(absoluteOf(folder)), allows: isAllowed })
})
