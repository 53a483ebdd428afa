import crypto from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';

/**
 * Makes hashing and signing cost nothing in this process, by constants in their place: what a drain is faster by then is
 * what they cost. What is recorded is worthless. To be imported before anything that hashes.
 */
const constantHash = 'h'.repeat(32);
const constantSignature = Buffer.alloc(64);
Object.assign(crypto, { hash: () => constantHash, sign: () => constantSignature });
syncBuiltinESMExports();
