// SPDX-License-Identifier: Apache-2.0
module.exports = class RE2 extends RegExp {};
