#!/usr/bin/env node
import '../dist/bemi-verify.js';
