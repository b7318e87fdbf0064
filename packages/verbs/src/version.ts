/** The version in every card and manifest; a test holds it to package.json's. */
export const VERSION = '0.1.0';
