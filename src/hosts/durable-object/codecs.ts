/** An object unpacks with what Workers and pages have. */
export { webCodecs } from '../web/codecs.ts';
