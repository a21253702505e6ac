# shellcheck shell=bash
# What a pacman package needs beyond the files of its Debian packages: mostly what their maintainer scripts would do.
# One function a package, run in the package's root. Sourced by pack.sh.

fill_filesystem() {
  install -d -m 755 boot dev etc home mnt opt run srv/{ftp,http} usr/{bin,include,lib,share,src} \
    usr/local/{bin,etc,games,include,lib,sbin,share,src} \
    var/{cache,db,empty,games,lib/misc,local,log/old,opt,spool/mail}
  install -d -m 555 proc sys
  install -d -m 750 root
  install -d -m 1777 tmp var/tmp
  ln -s usr/bin bin
  ln -s usr/bin sbin
  ln -s usr/lib lib
  ln -s usr/lib lib64
  ln -s bin usr/sbin
  ln -s lib usr/lib64
  ln -s ../run var/run
  ln -s ../run/lock var/lock
  ln -s spool/mail var/mail
  ln -s ../proc/self/mounts etc/mtab
  ln -s ../usr/lib/os-release etc/os-release
  chmod 600 etc/shadow etc/gshadow etc/crypttab
  chown 0:42 etc/shadow etc/gshadow
  chmod 640 etc/shadow etc/gshadow
}

# Arch's sh is bash.
fill_bash() {
  ln -sf bash usr/bin/sh
  rm -f root/.bashrc etc/skel/.profile
}

fill_gawk() { ln -s gawk usr/bin/awk; }
fill_nano() { rm -f usr/bin/rnano; }
fill_pinentry() { ln -s pinentry-curses usr/bin/pinentry; }

fill_vim() {
  ln -s vim.tiny usr/bin/vim
  ln -s vim.tiny usr/bin/vi
}

fill_xz() {
  local name
  for name in lzma:xz unlzma:unxz lzcat:xzcat; do ln -s "${name#*:}" "usr/bin/${name%:*}"; done
}

fill_libarchive() { rm -f usr/bin/bsdcpio; }

# Every locale of the sources, commented out, as Arch ships it; Debian's own generator gives way to files/glibc.
fill_glibc() {
  rm -rf usr/share/i18n/SUPPORTED.dist var/lib/locales etc/locale.alias
  {
    printf '# Locales for locale-gen(8): take the hash off those you want, then run it.\n#\n'
    sed 's/^\(.*\)$/#\1  /' usr/share/i18n/SUPPORTED
  } >etc/locale.gen
  # The only two places for libraries here.
  printf '/usr/local/lib\n/usr/lib/x86_64-linux-gnu\n/usr/lib\n' >etc/ld.so.conf.d/stand-in.conf
  rm -f etc/ld.so.conf
}

fill_systemd() {
  rm -rf etc/systemd/system etc/systemd/user usr/lib/systemd/system/{rc,rcS,hwclock,kmod,procps,udev}.service
  # /etc/localtime and the rest of first-boot settings are the installer's; a prompt would stop an unattended boot.
  rm -f usr/lib/systemd/system/systemd-firstboot.service usr/lib/systemd/system/*/systemd-firstboot.service
  install -d -m 755 etc/systemd/{system,user,network} etc/udev/rules.d etc/tmpfiles.d etc/sysctl.d \
    etc/modules-load.d etc/binfmt.d etc/kernel/install.d var/lib/systemd/catalog
}

fill_systemd_sysvcompat() { rm -f usr/bin/telinit; }
fill_util_linux() { rm -f usr/lib/systemd/system/hwclock.service; }

# Debian sets this mode in a maintainer script: the bus starts services through it.
fill_dbus() {
  chown 0:81 usr/lib/dbus-1.0/dbus-daemon-launch-helper
  chmod 4754 usr/lib/dbus-1.0/dbus-daemon-launch-helper
}

fill_ca_certificates() {
  install -d etc/ssl/certs
  cat usr/share/ca-certificates/mozilla/*.crt >etc/ssl/certs/ca-certificates.crt
  ln -s certs/ca-certificates.crt etc/ssl/cert.pem
  rm -rf usr/bin/update-ca-certificates etc/ca-certificates
}

fill_openssh() {
  rm -f usr/lib/systemd/system/{ssh.service,ssh.socket,ssh@.service,rescue-ssh.target} etc/init/* etc/default/ssh
  cp usr/share/openssh/sshd_config etc/ssh/sshd_config
}

fill_sudo() {
  rm -f usr/lib/systemd/system/sudo.service
  sed -i 's/^%sudo/# %sudo/; s/^Defaults.*use_pty.*//' etc/sudoers
  printf '\n## %s\n# %%wheel ALL=(ALL:ALL) ALL\n' \
    'Uncomment to allow members of group wheel to execute any command' >>etc/sudoers
  sed -i '/^@includedir/d' etc/sudoers && echo '@includedir /etc/sudoers.d' >>etc/sudoers
  chmod 440 etc/sudoers
}

# Debian's keymaps under Arch's directory and names.
fill_kbd() {
  local file
  rm -rf usr/share/console*
  install -d usr/share/kbd
  mv usr/share/keymaps usr/share/kbd/keymaps
  rm -rf usr/share/kbd/keymaps/{amiga,atari,mac,sun}
  find usr/share/kbd/keymaps -name '*.kmap.gz' | while read -r file; do mv "$file" "${file%.kmap.gz}.map.gz"; done
  ln -s kbd/keymaps usr/share/keymaps
}

fill_procps_ng() { rm -f usr/lib/systemd/system/procps.service etc/sysctl.d/README*; }
fill_kmod() { rm -f usr/lib/systemd/system/kmod.service etc/modules; }
# Debian's settings give way to those of grml-zsh-config.
fill_zsh() { rm -f etc/zsh/zshrc etc/zsh/newuser.zshrc.recommended; }

# All of Debian's package but one program is Debian's plumbing.
fill_which() {
  find . -mindepth 1 ! -type d ! -path ./usr/bin/which.debianutils -delete
  mv usr/bin/which.debianutils usr/bin/which
}

# Only what pacman-key reads of makepkg. Its own key is an elliptic one here: an RSA key of 4096 bits takes anything
# from ten seconds to minutes without KVM, twice in an installation.
fill_pacman() {
  sed -i 's/^Key-Type: RSA$/Key-Type: EDDSA/; s/^Key-Length: 4096$/Key-Curve: ed25519/' usr/bin/pacman-key
  grep -q '^Key-Curve: ed25519' usr/bin/pacman-key
  rm -rf usr/bin/{makepkg,makepkg-template} etc/makepkg.conf usr/share/pacman
  install -d var/cache/pacman/pkg var/lib/pacman etc/pacman.d/hooks
}

fill_archlinux_keyring() {
  local dir
  for dir in usr/share/pacman/keyrings usr/share/keyrings; do
    install -Dm644 "$WORK/keyring.gpg" "$dir/archlinux.gpg"
    install -Dm644 "$WORK/keyring-trusted" "$dir/archlinux-trusted"
    : >"$dir/archlinux-revoked"
  done
}

fill_mkinitcpio() {
  install -d usr/lib/initcpio etc/initcpio/{install,hooks} etc/mkinitcpio.d etc/mkinitcpio.conf.d
  mv usr/bin/busybox usr/lib/initcpio/busybox
}

fill_linux() { cp -a "$WORK/kernel/." .; }

fill_dmenu() {
  rm -rf usr/bin/{lsw,slock,sprop,sselp,ssid,swarp,tabbed,wmname,xssstate}* etc/pam.d
}

# Arch's session starts what the user's ~/.xinitrc says, or twm and terminals.
fill_xorg_xinit() {
  rm -rf etc/X11/Xsession.d
  install -d etc/X11/xinit
  printf '#!/bin/sh\nexec xterm -geometry 80x50+494+51\n' >etc/X11/xinit/xinitrc
  chmod 755 etc/X11/xinit/xinitrc
}

fill_git() { rm -rf usr/share/git-core/contrib usr/lib/git-core/git-gui; }

# Started by files/chromium as by Arch's own launcher.
fill_chromium() { rm -rf etc/chromium etc/chromium.d usr/share/chromium; }
