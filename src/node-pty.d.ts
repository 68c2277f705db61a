/** node-pty: the installed package is @lydell/node-pty, the same code with prebuilt binaries, under the original's name. */
/// <reference types="node-pty" />
declare module "node-pty" {
  export * from "@lydell/node-pty"
}
