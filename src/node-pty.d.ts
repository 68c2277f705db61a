/** node-pty: installed is @lydell/node-pty, the same with prebuilt binaries, under the name of the original. */
/// <reference types="node-pty" />
declare module "node-pty" {
  export * from "@lydell/node-pty"
}
