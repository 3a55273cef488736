//! What a call of a contract would do, as far as its data says it: an allowance, a change of who
//! controls it, or a function. What can't be read is never taken for harmless.
//!
//! Function names and forms: ERC-20, ERC-721, ERC-1155, ERC-2612, DAI, OpenZeppelin Contracts
//! (Ownable, AccessControl, Pausable, proxies, Timelock), EIP-2535, Safe 1.4, Permit2.

use super::{Allowance, Selector};
use crate::{Address, Amount, Bytes};

#[cfg(test)]
mod tests;

/// A call of a contract, as its data says it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Call {
    /// Which contract.
    pub contract: Address,
    /// What it does there.
    pub meaning: Meaning,
}

/// What a call does.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Meaning {
    /// It calls a function that gives nobody an allowance and changes nobody's control, as far as
    /// is known.
    Function {
        /// Which.
        selector: Selector,
    },
    /// It lets somebody spend the caller's tokens.
    Approval {
        /// Who may spend: 20 bytes.
        spender: Bytes,
        /// How much.
        amount: Allowance,
    },
    /// It changes who controls the contract, or makes it run something.
    Admin {
        /// Which function.
        selector: Selector,
        /// Its name.
        name: &'static str,
        /// Whether it runs foreign code as itself.
        delegatecall: bool,
    },
    /// It can't be read: it is refused whatever the rules say.
    Unreadable,
}

/// How the arguments of a function that gives an allowance stand in its data.
struct Approving {
    selector: [u8; 4],
    words: usize,
    spender: usize,
    amount: Given,
}

/// Which word says how much.
#[derive(Clone, Copy)]
enum Given {
    Units(usize),
    Everything(usize),
}

const fn approving(selector: u32, words: usize, spender: usize, amount: Given) -> Approving {
    Approving { selector: selector.to_be_bytes(), words, spender, amount }
}

const APPROVING: [Approving; 6] = [
    // approve(address spender, uint256)
    approving(0x095e_a7b3, 2, 0, Given::Units(1)),
    // increaseAllowance(address spender, uint256)
    approving(0x3950_9351, 2, 0, Given::Units(1)),
    // increaseApproval(address spender, uint256)
    approving(0xd73d_d623, 2, 0, Given::Units(1)),
    // setApprovalForAll(address operator, bool)
    approving(0xa22c_b465, 2, 0, Given::Everything(1)),
    // permit(address owner, address spender, uint256, uint256, uint8, bytes32, bytes32): ERC-2612
    approving(0xd505_accf, 7, 1, Given::Units(2)),
    // permit(address, address spender, uint256, uint256, bool, uint8, bytes32, bytes32): DAI
    approving(0x8fcb_af0c, 8, 1, Given::Everything(4)),
];

/// When a function of this name runs foreign code.
#[derive(Clone, Copy)]
enum Foreign {
    Never,
    Always,
    /// Where this word, the operation of a Safe, is not 0.
    Operation(usize),
}

const ADMIN: [(u32, &str, Foreign); 34] = [
    (0xf2fd_e38b, "transferOwnership", Foreign::Never),
    (0x7150_18a6, "renounceOwnership", Foreign::Never),
    (0x79ba_5097, "acceptOwnership", Foreign::Never),
    (0x13af_4035, "setOwner", Foreign::Never),
    (0x7a9e_5e4b, "setAuthority", Foreign::Never),
    (0x2f2f_f15d, "grantRole", Foreign::Never),
    (0xd547_741f, "revokeRole", Foreign::Never),
    (0x3656_8abe, "renounceRole", Foreign::Never),
    (0x8456_cb59, "pause", Foreign::Never),
    (0x3f4b_a83a, "unpause", Foreign::Never),
    (0x40c1_0f19, "mint", Foreign::Never),
    (0x3659_cfe6, "upgradeTo", Foreign::Always),
    (0x4f1e_f286, "upgradeToAndCall", Foreign::Always),
    (0x99a8_8ec4, "upgrade", Foreign::Always),
    (0x9623_609d, "upgradeAndCall", Foreign::Always),
    (0x8f28_3970, "changeAdmin", Foreign::Never),
    (0x7eff_275e, "changeProxyAdmin", Foreign::Never),
    (0x1f93_1c1c, "diamondCut", Foreign::Always),
    (0x0d58_2f13, "addOwnerWithThreshold", Foreign::Never),
    (0xf8dc_5dd9, "removeOwner", Foreign::Never),
    (0xe318_b52b, "swapOwner", Foreign::Never),
    (0x694e_80c3, "changeThreshold", Foreign::Never),
    (0x610b_5925, "enableModule", Foreign::Never),
    (0xe009_cfde, "disableModule", Foreign::Never),
    (0xe19a_9dd9, "setGuard", Foreign::Never),
    (0xf08a_0323, "setFallbackHandler", Foreign::Always),
    (0xb63e_800d, "setup", Foreign::Always),
    (0x6a76_1202, "execTransaction", Foreign::Operation(3)),
    (0x4687_21a7, "execTransactionFromModule", Foreign::Operation(3)),
    (0x5229_073f, "execTransactionFromModuleReturnData", Foreign::Operation(3)),
    (0x8d80_ff0a, "multiSend", Foreign::Always),
    // What they carry is not read: it may be any of the above.
    (0xac96_50d8, "multicall", Foreign::Always),
    (0xb61d_27f6, "execute", Foreign::Always),
    (0x8751_7c45, "Permit2 approve", Foreign::Never),
];

impl Call {
    /// What `data` would do at `contract`. `None` where there is no data: a plain payment.
    pub fn read(contract: Address, data: &[u8]) -> Option<Self> {
        if data.is_empty() {
            return None;
        }
        let meaning = read(data).unwrap_or(Meaning::Unreadable);
        Some(Self { contract, meaning })
    }
}

/// `None` where it can't be read.
fn read(data: &[u8]) -> Option<Meaning> {
    let (selector, arguments) = data.split_first_chunk::<4>()?;
    if let Some(form) = APPROVING.iter().find(|form| form.selector == *selector) {
        return approval(form, arguments);
    }
    let selector = Selector(*selector);
    let admin = ADMIN.iter().find(|(known, ..)| known.to_be_bytes() == selector.0);
    let Some((_, name, foreign)) = admin else { return Some(Meaning::Function { selector }) };
    let delegatecall = match foreign {
        Foreign::Never => false,
        Foreign::Always => true,
        Foreign::Operation(at) => word(arguments, *at)? != [0; 32],
    };
    Some(Meaning::Admin { selector, name, delegatecall })
}

/// An allowance in exactly its form: a contract would overlook what is more, and a reader too.
fn approval(form: &Approving, arguments: &[u8]) -> Option<Meaning> {
    if arguments.len() != form.words.checked_mul(32)? {
        return None;
    }
    let spender = word(arguments, form.spender)?;
    let (zeros, spender) = spender.split_first_chunk::<12>()?;
    if *zeros != [0; 12] {
        return None;
    }
    let amount = match form.amount {
        Given::Units(at) => {
            let word = word(arguments, at)?;
            let (high, low) = word.split_first_chunk::<16>()?;
            match high {
                [0, ..] if *high == [0; 16] => {
                    Allowance::UpTo(Amount::new(u128::from_be_bytes(low.try_into().ok()?)))
                }
                // More than any token has.
                _ => Allowance::Unlimited,
            }
        }
        Given::Everything(at) => {
            let word = word(arguments, at)?;
            if word == [0; 32] { Allowance::UpTo(Amount::ZERO) } else { Allowance::Unlimited }
        }
    };
    Some(Meaning::Approval { spender: Bytes(spender.to_vec()), amount })
}

fn word(arguments: &[u8], at: usize) -> Option<[u8; 32]> {
    let from = at.checked_mul(32)?;
    arguments.get(from..from.checked_add(32)?)?.try_into().ok()
}

/// Whether an address in its text form is these 20 bytes.
pub(super) fn is(address: &Address, bytes: &Bytes) -> bool {
    let text = address.to_string();
    let digits = text.strip_prefix("0x").unwrap_or_default();
    digits.eq_ignore_ascii_case(&bytes.to_string())
}
