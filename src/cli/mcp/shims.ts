/** Stands in the package for the platform's side of @modelcontextprotocol/server (`mcpLibrary` of vite.config.ts). */
export { default as process } from 'node:process';

/** The library's own is ajv, a third of its size, for answers to forms. No form is ever sent from here. */
export class DefaultJsonSchemaValidator {
  getValidator(): never {
    throw new Error('there are no forms');
  }
}
